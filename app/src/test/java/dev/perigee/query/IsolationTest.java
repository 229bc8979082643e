package dev.perigee.query;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.WorkerConfig;
import dev.perigee.nasty.NastyStatements;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Statements of a client that SQLite cannot survive, cannot be interrupted in, or takes the machine's memory for:
/// whatever they do to the worker process, the server answers.
class IsolationTest {
    private static final Duration LIMIT = Duration.ofSeconds(1);

    /// What a busy machine may add to the limit and its grace.
    private static final Duration SOON = Duration.ofSeconds(30);

    private static final QueryConfig QUERIES = new QueryConfig(LIMIT, LIMIT, 1_000_000, 100_000, 3, 256L << 20)
            .withWorkers(new WorkerConfig(2, 128L << 20, false));

    @TempDir
    Path directory;

    /// For the nasty ones, one after the other.
    private static ServedStore attacked;

    @BeforeAll
    static void open(@TempDir Path folder) {
        attacked = served(folder, QUERIES);
    }

    @AfterAll
    static void close() {
        attacked.close();
    }

    private ServedStore served(QueryConfig queries) {
        return served(directory, queries);
    }

    private static ServedStore served(Path directory, QueryConfig queries) {
        ServedStore served = new ServedStore(directory, Setup.standard().query(queries));
        served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)");
        served.query("INSERT INTO t VALUES (1, 1, 2, 3), (2, 2, 3, 4), (3, 3, 4, 5)");
        served.query("CREATE TABLE made (x)");
        return served;
    }

    private static String columns(int count, String format) {
        return IntStream.range(0, count).mapToObj(i -> format.formatted(i)).collect(Collectors.joining(", "));
    }

    /// @param statuses what may be answered
    private record Nasty(String name, String sql, List<Integer> statuses) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Nasty> nasty() {
        String paths = columns(90, "'$.b%d'");
        String object = "'{\"a\":\"' || hex(zeroblob(4000000)) || '\"}'";
        String array = "'[' || replace(hex(zeroblob(900000)), '0', '1,') || '1]'";
        return Stream.of(
                // CVE-2025-6965: SQLite before 3.50.2 numbers aggregates with 16 bits.
                new Nasty("40,000 aggregates", NastyStatements.manyAggregates(40_000), List.of(500, 504, 413, 400)),
                new Nasty("aliases that double", "SELECT " + NastyStatements.aliases(14, 4), List.of(504, 413)),
                new Nasty(
                        "common table expressions that double",
                        "WITH x0 AS (SELECT 1 AS c)"
                                + IntStream.rangeClosed(1, 24)
                                        .mapToObj(
                                                i -> ", x%d AS (SELECT (SELECT c FROM x%d) + (SELECT c FROM x%d) AS c)"
                                                        .formatted(i, i - 1, i - 1))
                                        .collect(Collectors.joining())
                                + " SELECT * FROM x24",
                        List.of(504, 413)),
                new Nasty(
                        "a chain of 30,000 common table expressions",
                        "WITH x0 AS (SELECT 1 AS c)"
                                + IntStream.rangeClosed(1, 20_000)
                                        .mapToObj(i -> ", x%d AS (SELECT max(c) AS c FROM x%d)".formatted(i, i - 1))
                                        .collect(Collectors.joining())
                                + " SELECT * FROM x20000",
                        List.of(500, 504, 413, 400)),
                new Nasty(
                        "json_extract with many paths",
                        "SELECT " + columns(200, "json_extract(%s, %s) AS c%%d".formatted(object, paths)),
                        List.of(504, 413)),
                new Nasty(
                        "json_set with many paths, in a write",
                        "INSERT INTO made SELECT max(%s)"
                                .formatted(columns(
                                        50,
                                        "length(json_set(%s, %s))"
                                                .formatted(array, columns(45, "'$[%1$d00]', %1$d"))
                                                .replace("%", "%%"))),
                        List.of(504, 413)),
                new Nasty(
                        "a long pattern",
                        "SELECT hex(zeroblob(1000000)) LIKE '%' || hex(zeroblob(20000)) || '1'",
                        List.of(504)),
                new Nasty(
                        "instr of two long texts",
                        "SELECT instr(hex(zeroblob(1000000)), hex(zeroblob(500000)) || '1')",
                        List.of(504)),
                new Nasty(
                        "a row of 15 GB",
                        "SELECT " + columns(1000, "hex(zeroblob(15000000)) AS c%d"),
                        List.of(504, 413)),
                new Nasty(
                        "a table of a row of 15 GB",
                        "CREATE TABLE n AS SELECT " + columns(1000, "hex(zeroblob(15000000)) AS c%d"),
                        List.of(504, 413)));
    }

    @ParameterizedTest
    @MethodSource
    void nasty(Nasty nasty) {
        attacked.query("DELETE FROM made");
        long begin = System.nanoTime();
        HttpResponse<String> answer = attacked.run(CLIENT, nasty.sql());
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(SOON);
        assertThat(answer.statusCode()).as(answer.body()).isIn(nasty.statuses());
        assertThat(answer.body()).doesNotContain("INTERNAL");
        // The next ones are answered, whoever sends them, and so are writes.
        assertThat(attacked.run(CLIENT, "SELECT max(id) AS n FROM t").body()).isEqualTo("{\"result\":[{\"n\":3}]}");
        assertThat(attacked.run(CLIENT, "INSERT INTO made VALUES (1)").statusCode())
                .isEqualTo(200);
        assertThat(attacked.query("SELECT count(*) AS n FROM made")).hasToString("{\"result\":[{\"n\":1}]}");
    }

    @Test
    void a_client_s_views_and_computed_columns_do_not_hold_up_an_admin() {
        QueryConfig patient =
                new QueryConfig(SOON, SOON, 1_000_000, 1000, 3, 256L << 20).withWorkers(QUERIES.workers());
        try (ServedStore served = served(patient)) {
            served.run(CLIENT, "CREATE VIEW v0 AS SELECT 1 AS c");
            int made = 0;
            HttpResponse<String> answer;
            do {
                made++;
                answer = served.run(
                        CLIENT,
                        "CREATE VIEW v%d AS SELECT (SELECT c FROM v%d) + (SELECT c FROM main.V%d) AS c"
                                .formatted(made, made - 1, made - 1));
            } while (answer.statusCode() == 200 && made < 40);
            assertThat(answer.statusCode()).as(answer.body()).isIn(413, 504);
            assertThat(served.run(ADMIN, "SELECT * FROM v%d".formatted(made - 1))
                            .statusCode())
                    .isEqualTo(200);
            assertThat(served.run(ADMIN, "SELECT * FROM v%d".formatted(made)).statusCode())
                    .isEqualTo(400);
            String doubling = IntStream.range(1, 40)
                    .mapToObj(i -> ", a%d AS (a%d + a%d)".formatted(i, i - 1, i - 1))
                    .collect(Collectors.joining("", "CREATE TABLE doubling (a0", ")"));
            assertThat(served.run(CLIENT, doubling).statusCode()).isIn(413, 504);
            assertThat(served.run(ADMIN, "SELECT * FROM doubling").statusCode()).isEqualTo(400);
        }
    }

    @Test
    void half_a_surrogate_pair_is_refused_and_not_replaced_on_its_way_to_a_worker() {
        try (ServedStore served = served(QUERIES)) {
            for (String body : List.of(
                    "{\"sql\":\"SELECT '\\ud800' AS x FROM t\"}",
                    "{\"sql\":\"SELECT ? AS x FROM t\",\"params\":[\"\\ud800\"]}")) {
                HttpResponse<String> answer = served.post("/query", CLIENT, body);
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
                assertThat(answer.body()).contains("half a surrogate pair");
            }
            assertThat(served.post(
                                    "/query",
                                    CLIENT,
                                    "{\"sql\":\"SELECT ? AS x LIMIT 1\",\"params\":[\"\\ud83d\\ude00\"]}")
                            .body())
                    .contains("\ud83d\ude00");
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void a_worker_has_no_secrets_no_network_and_no_other_files() throws Exception {
        try (ServedStore served = served(QUERIES)) {
            assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
            Awaitility.await().until(() -> !served.workers().pids().isEmpty());
            long pid = served.workers().pids().getFirst();
            Path proc = Path.of("/proc", Long.toString(pid));
            String environment = java.nio.file.Files.readString(proc.resolve("environ"));
            assertThat(environment.split("\0")).allMatch(line -> line.isEmpty() || line.matches("(TZ|LANG|LC_ALL)=.*"));
            String status = java.nio.file.Files.readString(proc.resolve("status"));
            assertThat(status).containsPattern("NoNewPrivs:\\s+1").containsPattern("Seccomp:\\s+2");
            String limits = java.nio.file.Files.readString(proc.resolve("limits"));
            assertThat(limits).containsPattern("Max core file size\\s+0");
            assertThat(limits).doesNotContainPattern("Max data size\\s+unlimited");
        }
    }

    @Test
    void workers_killed_from_outside_are_replaced_and_their_callers_answered() {
        try (ServedStore served = served(QUERIES)) {
            for (int i = 0; i < 10; i++) {
                for (long pid : served.workers().pids()) {
                    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
                }
                HttpResponse<String> answer = served.run(CLIENT, "SELECT max(id) AS n FROM t");
                assertThat(answer.statusCode()).as(answer.body()).isIn(200, 500);
                if (answer.statusCode() == 500) assertThat(answer.body()).contains("WORKER_FAILED");
            }
            Awaitility.await().until(() -> served.run(CLIENT, "SELECT 1").statusCode() == 200);
        }
    }

    @Test
    void a_write_that_waits_behind_one_that_ends_the_worker_is_run_by_the_next_worker() {
        QueryConfig patient = new QueryConfig(
                        Duration.ofSeconds(20), Duration.ofSeconds(5), 1_000_000, 1000, 3, 256L << 20)
                .withWorkers(QUERIES.workers());
        try (ServedStore served = served(patient)) {
            assertThat(served.run(CLIENT, "INSERT INTO made VALUES (1)").statusCode())
                    .isEqualTo(200);
            Thread.ofVirtual().start(() -> {
                // Nothing interrupts it, so the worker is killed.
                HttpResponse<String> _ = served.run(
                        CLIENT, "INSERT INTO made SELECT instr(hex(zeroblob(1000000)), hex(zeroblob(500000)) || '1')");
            });
            // So long it is busy in its turn only.
            Awaitility.await()
                    .during(Duration.ofSeconds(1))
                    .until(() -> served.workers().stats().busy() > 0);
            HttpResponse<String> answer = served.run(CLIENT, "INSERT INTO made VALUES (2)");
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            assertThat(served.workers().stats().outOfTime()).isPositive();
            assertThat(served.query("SELECT count(*) AS n FROM made")).hasToString("{\"result\":[{\"n\":2}]}");
        }
    }

    @Test
    void spare_workers_do_not_let_one_caller_have_all_that_may_be_busy() {
        Duration ample = Duration.ofMinutes(2);
        QueryConfig patient = new QueryConfig(ample, LIMIT, 1_000_000, 1000, 3, 256L << 20)
                .withWorkers(new WorkerConfig(2, 128L << 20, true));
        Setup setup = Setup.standard()
                .query(patient)
                .serve(c -> c.with(new ServeConfig.Limits(
                        c.limits().maxBodyBytes(),
                        c.limits().maxConnections(),
                        ample.multipliedBy(2),
                        c.limits().shutdownGrace())));
        try (ServedStore served = new ServedStore(directory, setup)) {
            served.query("CREATE TABLE made (x)");
            assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
            // Each worker that reads and is killed leaves a spare one, up to two: three that read, and one that writes.
            for (int running = 3; running <= 4; running++) {
                for (long pid : served.workers().pids()) {
                    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
                }
                int wanted = running;
                Awaitility.await()
                        .atMost(Duration.ofMinutes(3))
                        .until(() -> served.workers().stats().running() >= wanted);
            }
            String endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
            List<Thread> attackers = IntStream.range(0, 4)
                    .mapToObj(_ -> Thread.ofVirtual().start(() -> {
                        HttpResponse<String> _ = served.run(CLIENT, endless);
                    }))
                    .toList();
            Awaitility.await().until(() -> served.workers().stats().busy() > 0);
            for (int i = 0; i < 5; i++) {
                HttpResponse<String> answer = served.run(ADMIN, "SELECT 1");
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            }
            assertThat(attackers).anyMatch(Thread::isAlive);
        }
    }

    @Test
    void one_caller_s_endless_statements_leave_a_worker_to_admins_and_point_reads() {
        QueryConfig patient = new QueryConfig(Duration.ofSeconds(20), LIMIT, 1_000_000, 1000, 3, 256L << 20)
                .withWorkers(new WorkerConfig(2, 128L << 20, false));
        try (ServedStore served = served(patient)) {
            assertThat(served.run(CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
            String endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
            List<Thread> attackers = IntStream.range(0, 4)
                    .mapToObj(_ -> Thread.ofVirtual().start(() -> {
                        HttpResponse<String> _ = served.run(CLIENT, endless);
                    }))
                    .toList();
            Awaitility.await().until(() -> served.workers().stats().busy() > 0);
            long begin = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                assertThat(served.run(ADMIN, "SELECT max(id) AS n FROM t").statusCode())
                        .isEqualTo(200);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(SOON);
            assertThat(attackers).anyMatch(Thread::isAlive);
        }
    }
}
