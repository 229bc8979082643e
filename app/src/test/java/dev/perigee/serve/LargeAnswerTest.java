package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.store.ChildJvm;
import dev.perigee.testing.ServedStore;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Answers larger than the server's memory.
class LargeAnswerTest {
    private static final int ROWS = Integer.getInteger("perigee.test.largeRows", 2_000_000);

    @TempDir
    Path directory;

    @Test
    void an_answer_of_millions_of_rows_goes_through_a_heap_of_64_mebibytes() throws Exception {
        try (ChildJvm server = new ChildJvm(ServeLarge.class, directory.toString());
                HttpClient http = HttpClient.newHttpClient()) {
            String port = server.next("port");
            String sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + ROWS + ")"
                    + " SELECT i AS id, 'customer ' || i AS name, i * 1.5 AS total, '2026-11-24T14:00:00Z' AS at FROM n";
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/query/raw"))
                    .header("Authorization", "Bearer " + ServedStore.CLIENT)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(ServedStore.statement(sql)))
                    .build();
            long begin = System.nanoTime();
            HttpResponse<InputStream> answer = http.send(request, BodyHandlers.ofInputStream());
            assertThat(answer.statusCode()).isEqualTo(200);
            long bytes = 0;
            long rows = 0;
            byte[] chunk = new byte[1 << 16];
            byte[] end = new byte[0];
            try (InputStream body = answer.body()) {
                for (int read = body.read(chunk); read >= 0; read = body.read(chunk)) {
                    bytes += read;
                    for (int i = 0; i < read; i++) if (chunk[i] == ']') rows++;
                    int tail = Math.min(read, 60);
                    if (tail == 60) end = java.util.Arrays.copyOfRange(chunk, read - tail, read);
                }
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            System.out.printf("LARGE %d rows, %d bytes, %.1f s, %.0f rows/s%n", ROWS, bytes, seconds, ROWS / seconds);
            // One bracket closes each row, one the columns and one the rows.
            assertThat(rows).isEqualTo(ROWS + 2L);
            assertThat(new String(end, StandardCharsets.UTF_8)).contains("\"rows_read\":" + ROWS);
        }
    }
}
