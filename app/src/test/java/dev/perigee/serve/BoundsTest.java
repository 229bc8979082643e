package dev.perigee.serve;

import static dev.perigee.serve.ServedStore.ADMIN;
import static dev.perigee.serve.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.serve.ServedStore.Setup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
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

    private static String nested(int levels, String level) {
        String query = "SELECT 1 AS c, 2 AS d";
        for (int i = 0; i < levels; i++) query = level.formatted(query);
        return query;
    }

    private static String defined(int count, String definition) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> ", a%d AS (%s)".formatted(i, definition.replace("?", "a" + (i - 1))))
                .collect(Collectors.joining("", "WITH a0 AS (SELECT 1 AS c)", " SELECT * FROM a" + count));
    }

    static Stream<String> explosions() {
        return Stream.of(
                defined(16, "SELECT 1 AS c FROM ?, ? AS other"),
                defined(16, "SELECT c FROM ? UNION ALL SELECT c FROM ?"),
                defined(16, "SELECT (SELECT c FROM ?) + (SELECT c FROM ?) AS c"),
                defined(16, "SELECT count(*) AS c FROM ? WHERE c IN ?"));
    }

    @ParameterizedTest
    @MethodSource("explosions")
    void common_table_expressions_that_double_at_each_level_are_413(String sql) {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer = soon(served, CLIENT, sql);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(answer.body()).contains("name each fewer times");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT c+c AS c, d FROM (%s)",
                "SELECT c, d FROM (SELECT c+c AS c, d FROM (%s)) WHERE c > 1",
                "SELECT c, d FROM (SELECT c+c AS c, d FROM (%s) UNION SELECT c, d FROM (SELECT 3 AS c, 4 AS d)) WHERE c > 1"
            })
    void columns_that_double_at_each_level_are_computed_and_not_copied(String level) {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer = soon(served, CLIENT, nested(24, level));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            assertThat(answer.body()).contains("\"c\":16777216");
        }
    }

    @Test
    void the_allowlist_compiles_no_statement_that_is_too_large_either() {
        Setup listed = Setup.standard()
                .query(new QueryConfig(Duration.ofSeconds(1), Duration.ofSeconds(1), 1_000_000, 1000, 3, 256L << 20)
                        .with(false, true, false));
        try (ServedStore served = new ServedStore(directory, listed)) {
            assertThat(soon(served, CLIENT, defined(16, "SELECT (SELECT c FROM ?) + (SELECT c FROM ?) AS c"))
                            .statusCode())
                    .isEqualTo(413);
            assertThat(soon(served, CLIENT, defined(20_000, "SELECT max(c) AS c FROM ?"))
                            .statusCode())
                    .isEqualTo(413);
            assertThat(soon(served, CLIENT, nested(24, "SELECT c+c AS c, d FROM (%s)"))
                            .statusCode())
                    .isEqualTo(403);
        }
    }

    @Test
    void views_that_double_at_each_level_are_not_made() {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            served.run(CLIENT, "CREATE VIEW v0 AS SELECT 1 AS c");
            int made = 0;
            HttpResponse<String> answer;
            do {
                made++;
                answer = soon(
                        served,
                        CLIENT,
                        "CREATE VIEW v%d AS SELECT (SELECT c FROM v%d) + (SELECT c FROM main.V%d) AS c"
                                .formatted(made, made - 1, made - 1));
            } while (answer.statusCode() == 200 && made < 30);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(made).isBetween(8, 14);
            assertThat(soon(served, ADMIN, "SELECT * FROM v%d".formatted(made - 1))
                            .statusCode())
                    .isEqualTo(200);
            String twice = IntStream.range(0, 20)
                    .mapToObj(i -> "SELECT c FROM v" + 8)
                    .collect(Collectors.joining(" UNION ALL "));
            assertThat(soon(served, CLIENT, twice).statusCode()).isEqualTo(413);
        }
    }

    @Test
    void a_statement_that_was_kept_is_looked_at_again_when_its_view_is_another() {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            served.run(CLIENT, "CREATE VIEW v AS SELECT 1 AS c");
            String many =
                    IntStream.range(0, 300).mapToObj(i -> "SELECT c FROM v").collect(Collectors.joining(" UNION "));
            for (int i = 0; i < 12; i++)
                assertThat(served.run(CLIENT, many).statusCode()).isEqualTo(200);
            served.run(CLIENT, "DROP VIEW v");
            served.run(CLIENT, "CREATE VIEW v AS " + defined(9, "SELECT 1 AS c FROM ?, ? AS other"));
            for (int i = 0; i < 12; i++) {
                assertThat(soon(served, CLIENT, many).statusCode()).isEqualTo(413);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 30_000})
    void a_chain_of_common_table_expressions_does_not_end_the_server(int levels) {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer =
                    soon(served, CLIENT, defined(levels, "SELECT max(c) AS c FROM ? WHERE c > 0"));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(levels == 500 ? 200 : 413);
        }
    }

    @Test
    void triggers_that_fire_each_other_have_a_number() {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            HttpResponse<String> answer;
            int count = 0;
            do {
                served.run(CLIENT, "CREATE TABLE t%d (c)".formatted(count));
                answer = served.run(
                        CLIENT,
                        "CREATE TRIGGER r%d AFTER INSERT ON t%d BEGIN INSERT INTO t%d VALUES (1); END"
                                .formatted(count, count, count + 1));
                count++;
            } while (answer.statusCode() == 200 && count < 300);
            assertThat(answer.body()).contains("this would be 201");
            assertThat(count).isEqualTo(201);
        }
    }

    @Test
    void computed_columns_neither_chain_without_end_nor_double() {
        try (ServedStore served = new ServedStore(directory, SETUP)) {
            String chain = IntStream.range(1, 1900)
                    .mapToObj(i -> ", a%d AS (a%d + 1)".formatted(i, i - 1))
                    .collect(Collectors.joining("", "CREATE TABLE chain (a0", ")"));
            assertThat(soon(served, CLIENT, chain).statusCode()).isEqualTo(413);
            assertThat(soon(served, CLIENT, doubling(12)).statusCode()).isEqualTo(200);
            HttpResponse<String> answer = soon(served, CLIENT, doubling(40));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(answer.body()).contains("longer than its limit");
        }
    }

    private static String doubling(int columns) {
        return IntStream.range(1, columns)
                .mapToObj(i -> ", a%d AS (a%d + a%d)".formatted(i, i - 1, i - 1))
                .collect(Collectors.joining("", "CREATE TABLE doubling%d (a0".formatted(columns), ")"));
    }

    /// SQLite holds a row's values outside the heap: these are 30 GB.
    @ParameterizedTest
    @ValueSource(strings = {"SELECT %s", "CREATE TABLE made AS SELECT %s"})
    @EnabledOnOs(OS.LINUX)
    void a_row_of_many_large_values_is_413_before_it_fills_the_machine(String statement) throws Exception {
        String columns = IntStream.range(0, 1000)
                .mapToObj(i -> "hex(zeroblob(15000000)) AS c" + i)
                .collect(Collectors.joining(", "));
        Setup patient = Setup.standard()
                .query(new QueryConfig(Duration.ofSeconds(60), Duration.ofSeconds(60), 1_000_000, 1000, 3, 256L << 20));
        AtomicLong most = new AtomicLong();
        Thread watcher = Thread.ofPlatform().daemon().start(() -> {
            while (!Thread.interrupted()) most.accumulateAndGet(residentMiB(), Math::max);
        });
        long before = residentMiB();
        try (ServedStore served = new ServedStore(directory, patient)) {
            HttpResponse<String> answer = served.run(CLIENT, statement.formatted(columns));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
            assertThat(answer.body()).contains("beside Java's heap");
            assertThat(served.run(CLIENT, "SELECT length(hex(zeroblob(1000000))) AS n")
                            .body())
                    .contains("2000000");
        } finally {
            watcher.interrupt();
            watcher.join();
        }
        assertThat(most.get() - before).as("MiB it grew by").isLessThan(5000);
    }

    private static long residentMiB() {
        try {
            String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[1];
            return Long.parseLong(pages) * 4096 >> 20;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
