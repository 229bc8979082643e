package dev.perigee.serve;

import static dev.perigee.serve.ServedStore.ADMIN;
import static dev.perigee.serve.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.serve.ServedStore.Setup;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Statements of a client that SQLite, left alone, would work on long past any limit.
class BoundsTest {
    /// A hundred thousand letters, as `a`.
    private static final String LETTERS = "WITH t(a) AS MATERIALIZED (SELECT replace(hex(zeroblob(50000)), '0', 'a')) ";

    private static final Setup SETUP = Setup.standard()
            .query(new QueryConfig(Duration.ofSeconds(1), Duration.ofSeconds(1), 1_000_000, 1000, 3, 256L << 20));

    /// What a slow machine may add to a limit of one second.
    private static final Duration SOON = Duration.ofSeconds(4);

    @TempDir
    Path directory;

    private static HttpResponse<String> soon(ServedStore served, String token, String sql) {
        long begin = System.nanoTime();
        HttpResponse<String> answer = served.run(token, sql);
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .as("%s: %s", sql, answer.body())
                .isLessThan(SOON);
        return answer;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT instr(a||a, a||'b') FROM t",
                "SELECT replace(a||a, a||'b', '') FROM t",
                "SELECT trim(a, replace(a, 'a', 'b')||'a') FROM t",
                "SELECT unhex(replace(a, 'a', ' '), replace(a, 'a', 'b')||' ') FROM t"
            })
    void a_function_whose_work_is_the_product_of_two_texts_is_413(String select) {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer = soon(served, CLIENT, LETTERS + select);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(answer.body()).contains("more comparisons than a statement may make");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"SELECT a||a LIKE '%'||substr(a, 1, 20000)||'b' FROM t", "SELECT a||a GLOB '*'||a||'b' FROM t"})
    void a_long_pattern_is_400(String select) {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer = soon(served, CLIENT, LETTERS + select);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
            assertThat(answer.body()).contains("LIKE or GLOB pattern");
            assertThat(served.run(CLIENT, "SELECT 'a' LIKE '%s'".formatted("%".repeat(200)))
                            .body())
                    .contains(":1}");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT %s", "CREATE TABLE made AS SELECT %s"})
    void a_row_of_many_costly_columns_ends_at_the_time_limit(String statement) {
        String columns = IntStream.range(0, 100)
                .mapToObj(i -> "length(hex(randomblob(20000000))) AS c" + i)
                .collect(Collectors.joining(", "));
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer = soon(served, CLIENT, statement.formatted(columns));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(504);
            // On the connection that was ended, too.
            for (int i = 0; i < 4; i++) {
                assertThat(served.run(CLIENT, "SELECT length(hex(zeroblob(1000000))) AS n")
                                .body())
                        .contains("2000000");
            }
            assertThat(served.run(CLIENT, "CREATE TABLE other AS SELECT hex(zeroblob(1000000)) AS a")
                            .statusCode())
                    .isEqualTo(200);
            assertThat(served.run(ADMIN, "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'made'")
                            .body())
                    .contains("\"n\":0");
        }
    }
}
