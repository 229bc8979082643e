package dev.perigee.bundled.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Exports that are made in the background.
class ExportJobsTest {
    @TempDir
    Path folder;

    private ServedPerigee perigee;
    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeEach
    void start() {
        perigee = ServedPerigee.forAdmins(folder.resolve("data"));
        perigee.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
        perigee.query("INSERT INTO t SELECT value, hex(randomblob(50)) FROM generate_series(1, 20000)"
                .replace(
                        "generate_series(1, 20000)",
                        "json_each('[' || rtrim(replace(hex(zeroblob(10000)), '0', '1,'), ',') || ']')")
                .replace("SELECT value", "SELECT key"));
    }

    @AfterEach
    void stop() {
        http.close();
        perigee.close();
    }

    private JsonNode add(String body) {
        Reply reply = perigee.call("POST", "/export/jobs", body);
        assertThat(reply.status()).as(reply.text()).isEqualTo(202);
        return reply.json().get("result");
    }

    private JsonNode await(String id, String state) {
        return Awaitility.await()
                .until(
                        () -> perigee.call("GET", "/export/jobs/" + id, "").result(),
                        job -> job.get("state").asString().equals(state));
    }

    /// Of the jobs, one after the other.
    private String states() {
        return perigee.value(
                "SELECT coalesce(group_concat(state, ' '), '') FROM (SELECT state FROM told ORDER BY rowid)");
    }

    private HttpResponse<byte[]> download(String path) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path))
                        .header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                        .build(),
                BodyHandlers.ofByteArray());
    }

    @Test
    void a_job_makes_the_same_file_as_the_export_and_is_removed_with_it() throws Exception {
        for (String format : List.of("dump", "json", "csv")) {
            JsonNode job = add("{'format': '%s', 'table': 'T'}".formatted(format));
            JsonNode done = await(job.get("id").asString(), "done");
            HttpResponse<byte[]> file = download(done.get("download").asString());
            HttpResponse<byte[]> direct = download(format.equals("dump") ? "/export/dump" : "/export/" + format + "/t");
            assertThat(file.body()).isEqualTo(direct.body());
            assertThat(file.headers().firstValue("Content-Disposition"))
                    .isEqualTo(direct.headers().firstValue("Content-Disposition"));
            assertThat(done.get("bytes").asLong()).isEqualTo(file.body().length);
            assertThat(perigee.call("DELETE", "/export/jobs/" + job.get("id").asString(), "")
                            .status())
                    .isEqualTo(200);
            assertThat(perigee.call("GET", "/export/jobs/" + job.get("id").asString(), "")
                            .status())
                    .isEqualTo(404);
        }
        assertThat(folder.resolve("data/export-jobs")).isEmptyDirectory();
        assertThat(folder.resolve("data/exports")).isEmptyDirectory();
    }

    @Test
    void jobs_outlive_the_server_and_those_not_over_are_made_anew() throws Exception {
        String kept = add("{'format': 'json', 'table': 't'}").get("id").asString();
        byte[] before = download(await(kept, "done").get("download").asString()).body();
        // As a process leaves it that dies in the middle.
        perigee.perigee().store().write(tx -> {
            tx.connection()
                    .exec(
                            "INSERT INTO tmp_export_jobs VALUES ('cut', 'csv', 't', 'RUNNING', '2026-01-01T00:00:00Z', NULL, 5, 5, NULL)");
            return true;
        });
        Files.writeString(folder.resolve("data/export-jobs/cut.csv.part"), "id,v");
        perigee.close();
        perigee = ServedPerigee.forAdmins(folder.resolve("data"));
        await("cut", "done");
        assertThat(download("/export/jobs/cut/download").body()).hasSizeGreaterThan(100_000);
        assertThat(download("/export/jobs/" + kept + "/download").body()).isEqualTo(before);
        assertThat(folder.resolve("data/export-jobs/cut.csv.part")).doesNotExist();
    }

    @Test
    void a_job_waits_while_clients_have_all_the_exports_and_is_made_then() throws Exception {
        perigee.query("CREATE TABLE large AS SELECT randomblob(5000000) AS b FROM json_each('[1,2,3,4,5,6]')");
        perigee.perigee().store().write(tx -> {
            tx.connection().exec("""
                    CREATE TABLE told (state TEXT);
                    CREATE TRIGGER tell AFTER UPDATE ON tmp_export_jobs BEGIN INSERT INTO told VALUES (new.state); END""");
            return true;
        });
        List<Socket> slow = new ArrayList<>();
        String id;
        try {
            for (int i = 0; i < 2; i++) {
                Socket socket = new Socket();
                socket.setReceiveBufferSize(4096);
                socket.connect(new InetSocketAddress("127.0.0.1", perigee.port()));
                slow.add(socket);
                socket.getOutputStream()
                        .write("GET /export/dump HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
                                .formatted(ServedPerigee.TOKEN)
                                .getBytes(StandardCharsets.US_ASCII));
                assertThat(socket.getInputStream().read()).isEqualTo('H'); // It has begun.
            }
            id = add("{'format': 'csv', 'table': 't'}").get("id").asString();
            // It is begun, finds no place, waits, and is begun again.
            Awaitility.await().until(() -> states().contains("RUNNING QUEUED RUNNING"));
            assertThat(states()).doesNotContain("DONE");
        } finally {
            for (Socket socket : slow) socket.close();
        }
        await(id, "done");
    }

    @Test
    void mistakes_are_named_and_there_is_a_bound() throws Exception {
        assertThat(perigee.call("POST", "/export/jobs", "{'format': 'pdf'}").status())
                .isEqualTo(400);
        assertThat(perigee.call("POST", "/export/jobs", "{'format': 'csv', 'table': 'nothere'}")
                        .status())
                .isEqualTo(404);
        assertThat(perigee.call("POST", "/export/jobs", "{'format': 'csv'}").status())
                .isEqualTo(404);
        assertThat(perigee.call("GET", "/export/jobs/nothere/download", "").status())
                .isEqualTo(404);
        perigee.close();
        perigee = ServedPerigee.open(folder.resolve("data"));
        assertThat(perigee.call(ServedPerigee.CLIENT_TOKEN, "GET", "/export/jobs", "")
                        .status())
                .isEqualTo(403);
        for (int i = 0; i < ExportJobs.MAX_JOBS; i++) add("{'format': 'csv', 'table': 't'}");
        assertThat(perigee.call("POST", "/export/jobs", "{'format': 'dump'}").status())
                .isEqualTo(503);
        JsonNode all = perigee.call("GET", "/export/jobs", "").result();
        assertThat(all.size()).isEqualTo(ExportJobs.MAX_JOBS);
        // Those that wait or run end with their removal.
        all.forEach(
                job -> perigee.call("DELETE", "/export/jobs/" + job.get("id").asString(), ""));
        assertThat(perigee.call("GET", "/export/jobs", "").result().size()).isZero();
        String last = add("{'format': 'dump'}").get("id").asString();
        await(last, "done");
        try (var files = Files.list(folder.resolve("data/export-jobs"))) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactly(last + ".dump");
        }
    }
}
