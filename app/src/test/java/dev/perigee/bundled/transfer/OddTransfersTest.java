package dev.perigee.bundled.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.perigee.ServedPerigee;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// Databases that are odd and uploads that are hostile, over HTTP.
class OddTransfersTest {
    @TempDir
    Path folder;

    private ServedPerigee perigee;
    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeEach
    void start() {
        perigee = ServedPerigee.forAdmins(folder.resolve("data"));
        perigee.query("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, note)");
    }

    @AfterEach
    void stop() {
        http.close();
        perigee.close();
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return http.send(
                    request.header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                            .build(),
                    BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private HttpRequest.Builder at(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + perigee.port() + path));
    }

    private HttpResponse<String> post(String path, String type, String body) {
        return send(at(path).header("Content-Type", type).POST(BodyPublishers.ofString(body)));
    }

    private String rows(String sql) {
        return perigee.query(sql).toString();
    }

    /// The dump, read by stock `sqlite3`, which stops at the first mistake; then `select` on what it made.
    private String readBack(String select) throws Exception {
        HttpResponse<String> dump = send(at("/export/dump"));
        assertThat(dump.statusCode()).isEqualTo(200);
        assumeTrue(Path.of("/usr/bin/sqlite3").toFile().canExecute(), "there is no sqlite3 on this machine");
        Path script = Files.writeString(folder.resolve("dump.sql"), dump.body());
        Process process = new ProcessBuilder("/usr/bin/sqlite3", "-bail", ":memory:", ".read " + script, select)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.strip();
    }

    @Test
    void a_dump_is_read_where_only_perigees_own_tables_count_their_rows() throws Exception {
        perigee.query("INSERT INTO tmp_allowlist_queries (sql_statement, source) VALUES ('SELECT 1', 'internal')");
        perigee.query("INSERT INTO people VALUES (1, 'Ann', NULL)");
        assertThat(rows("SELECT count(*) AS n FROM sqlite_sequence")).contains(":1}");
        assertThat(readBack("SELECT name FROM people")).isEqualTo("Ann");
    }

    @Test
    void a_dump_is_of_one_moment_while_writes_go_on() throws Exception {
        perigee.query("CREATE TABLE here (x)");
        perigee.query("CREATE TABLE there (x)");
        AtomicBoolean isOver = new AtomicBoolean();
        AtomicLong written = new AtomicLong();
        Thread writer = Thread.ofPlatform().start(() -> {
            while (!isOver.get()) {
                written.set(perigee.perigee().store().write(tx -> {
                    tx.connection().exec("INSERT INTO here VALUES (1)");
                    tx.connection().exec("INSERT INTO there VALUES (1)");
                    return written.get() + 1;
                }));
            }
        });
        try {
            for (int i = 0; i < 8; i++) {
                long before = written.get();
                String dump = send(at("/export/dump")).body();
                long here = dump.split("INSERT INTO \"here\"", -1).length - 1;
                long there = dump.split("INSERT INTO \"there\"", -1).length - 1;
                assertThat(here).isEqualTo(there).isBetween(before, written.get() + 1);
            }
            assertThat(written.get()).isGreaterThan(8);
        } finally {
            isOver.set(true);
            writer.join();
        }
    }

    @Test
    void a_dump_of_a_database_that_has_a_version_is_imported() {
        perigee.perigee().store().write(tx -> {
            tx.connection().exec("PRAGMA user_version = 7");
            tx.connection().exec("PRAGMA application_id = -3");
            return true;
        });
        String dump = send(at("/export/dump")).body();
        assertThat(dump).contains("PRAGMA user_version=7;", "PRAGMA application_id=-3;");
        perigee.query("DROP TABLE people");
        assertThat(post("/import/dump", "application/sql", dump).body()).contains("0 failed");
        assertThat(rows("SELECT count(*) AS n FROM people")).contains(":0}");
    }

    @Test
    void a_full_text_index_finds_the_rows_of_its_content_table_after_a_dump() throws Exception {
        perigee.query("CREATE TABLE docs (id INTEGER PRIMARY KEY, body)");
        perigee.query("INSERT INTO docs VALUES (5, 'quick fox'), (9, 'lazy dog')");
        perigee.query("CREATE VIRTUAL TABLE ft USING fts5(body, content='docs', content_rowid='id')");
        perigee.query("INSERT INTO ft (ft) VALUES ('rebuild')");
        assertThat(readBack("SELECT rowid FROM ft WHERE ft MATCH 'dog'")).isEqualTo("9");
    }

    @Test
    void a_full_text_index_whose_content_is_gone_comes_back_empty_and_the_rest_whole() throws Exception {
        perigee.query("CREATE VIRTUAL TABLE ft USING fts5(body, content='gone')");
        perigee.query("INSERT INTO people VALUES (1, 'Ann', NULL)");
        assertThat(readBack("SELECT name FROM people")).isEqualTo("Ann");
    }

    @ParameterizedTest
    @CsvSource({
        "csv, text/csv, ',', 40000, 'id,name,note\n', ''",
        "json, application/json, '\"a\":1,', 40000, '{\"data\":[{', '\"b\":1}]}'",
        "json, application/json, '123456789012345678901234567890,', 1000000, '{\"data\":[{\"note\":[', '1]}]}'"
    })
    void a_record_without_bounds_is_413(String format, String type, String part, int times, String begin, String end) {
        HttpResponse<String> answer = post("/import/" + format + "/people", type, begin + part.repeat(times) + end);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
        assertThat(answer.body()).contains("than");
        assertThat(rows("SELECT count(*) AS n FROM people")).contains(":0}");
    }

    @Test
    void a_column_that_is_named_twice_is_400() {
        HttpResponse<String> answer = post("/import/csv/people", "text/csv", "id,name,NAME\n1,a,b\n");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("named twice");
    }

    @Test
    void a_row_that_undoes_the_transaction_is_409_also_in_a_report() {
        perigee.query("CREATE TABLE strict (a UNIQUE ON CONFLICT ROLLBACK)");
        HttpResponse<String> csv = post("/import/csv/strict?onError=report", "text/csv", "a\n1\n2\n2\n3\n");
        assertThat(csv.statusCode()).as(csv.body()).isEqualTo(409);
        assertThat(csv.body()).contains("rolled back the whole transaction", "Nothing was imported");
        HttpResponse<String> dump = post(
                "/import/dump?onError=report",
                "application/sql",
                "INSERT INTO strict VALUES (1); INSERT INTO strict VALUES (1); INSERT INTO strict VALUES (2);");
        assertThat(dump.statusCode()).as(dump.body()).isEqualTo(409);
        assertThat(rows("SELECT count(*) AS n FROM strict")).contains(":0}");
    }

    @Test
    void a_report_is_short_however_long_what_failed_is() {
        String longest = "x".repeat(100_000);
        HttpResponse<String> csv =
                post("/import/csv/people?onError=report", "text/csv", "id,name\n" + (longest + ",a\n").repeat(20));
        assertThat(csv.statusCode()).isEqualTo(200);
        HttpResponse<String> dump = post(
                "/import/dump?onError=report",
                "application/sql",
                ("INSERT INTO " + longest + " VALUES (1);").repeat(20));
        assertThat(dump.statusCode()).isEqualTo(207);
        assertThat(csv.body().length() + dump.body().length()).isLessThan(100_000);
    }

    @Test
    void a_tables_name_of_a_dump_may_be_long_and_odd() {
        String name = "a \"\"b\"\" ".repeat(1000);
        HttpResponse<String> answer = post(
                "/import/dump",
                "application/sql",
                "CREATE TABLE \"%s\" (x); INSERT INTO \"%s\" VALUES (7);".formatted(name, name));
        assertThat(answer.body()).contains("2 statements succeeded");
    }

    @Test
    void a_file_that_was_made_is_there_when_its_table_is_not() throws Exception {
        perigee.query("INSERT INTO people VALUES (1, 'Ann', NULL)");
        for (String format : List.of("csv", "json")) {
            String id = perigee.call("POST", "/export/jobs", "{'format': '%s', 'table': 'people'}".formatted(format))
                    .json()
                    .get("result")
                    .get("id")
                    .asString();
            await(id);
            perigee.query("ALTER TABLE people RENAME TO gone");
            HttpResponse<String> file = send(at("/export/jobs/" + id + "/download"));
            assertThat(file.statusCode()).as(file.body()).isEqualTo(200);
            assertThat(file.body()).contains("Ann");
            assertThat(file.headers().firstValue("Content-Disposition"))
                    .hasValue("attachment; filename=\"people_export.%s\"".formatted(format));
            perigee.query("ALTER TABLE gone RENAME TO people");
        }
    }

    private void await(String id) throws InterruptedException {
        long end = System.nanoTime() + 60_000_000_000L;
        JsonNode job;
        do {
            Thread.sleep(20);
            job = perigee.call("GET", "/export/jobs/" + id, "").result();
            assertThat(System.nanoTime()).as(job.toString()).isLessThan(end);
        } while (!job.get("state").asString().equals("done"));
    }
}
