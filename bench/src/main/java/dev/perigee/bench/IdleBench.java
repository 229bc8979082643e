package dev.perigee.bench;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Many tables of ten rows at intervals of 1 s, of which few or none change. Prints the CPU time of Perigee and of
/// PostgreSQL as shares of one core, the transactions and statements per second at PostgreSQL, and the age of
/// `completeAsOf`, sampled every five seconds over all tables. Perigee runs in a JVM of its own.
///
/// Arguments: tables (default 1000), seconds per measurement (default 60), and how many tables change each second, one
/// measurement each (default 0 and 10). The environment variable `HEAP` is Perigee's `-Xmx` (default 256m).
///
/// Needs Linux, whose `/proc` tells the CPU times.
public final class IdleBench {
    private static final int TICKS_PER_SECOND = 100; // USER_HZ
    private static final Duration SAMPLE = Duration.ofSeconds(5);
    private static final Duration LOAD_LIMIT = Duration.ofMinutes(20);
    private static final String TOKEN = "admin-token-of-the-benchmark";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpClient http = HttpClient.newHttpClient();
    private final EmbeddedPostgres postgres;
    private final Process server;
    private final URI address;
    private final int tables;

    private IdleBench(EmbeddedPostgres postgres, Process server, URI address, int tables) {
        this.postgres = postgres;
        this.server = server;
        this.address = address;
        this.tables = tables;
    }

    public static void main(String[] args) throws Exception {
        int tables = args.length > 0 ? Integer.parseInt(args[0]) : 1000;
        int seconds = args.length > 1 ? Integer.parseInt(args[1]) : 60;
        List<Integer> changing =
                args.length > 2 ? Stream.of(args).skip(2).map(Integer::valueOf).toList() : List.of(0, 10);
        Path folder = Files.createTempDirectory("perigee-bench");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder()
                .setServerConfig("max_locks_per_transaction", "256")
                .setServerConfig("shared_preload_libraries", "pg_stat_statements")
                .start()) {
            create(postgres, tables);
            Process server = serve(postgres, folder, tables);
            try {
                URI address = URI.create("http://127.0.0.1:" + ReadComparison.port(server.inputReader()));
                IdleBench bench = new IdleBench(postgres, server, address, tables);
                bench.awaitLoaded();
                for (int some : changing) bench.measure(some, seconds);
            } finally {
                server.destroy();
                if (!server.waitFor(60, TimeUnit.SECONDS)) server.destroyForcibly();
            }
        } finally {
            ReadComparison.delete(folder);
        }
    }

    private static void create(EmbeddedPostgres postgres, int tables) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE EXTENSION pg_stat_statements");
            for (int i = 0; i < tables; i++) {
                statement.execute("""
                        CREATE TABLE t%1$d (id bigint PRIMARY KEY, name text NOT NULL, amount numeric(12, 2),
                            updated_at timestamptz NOT NULL DEFAULT now());
                        INSERT INTO t%1$d SELECT i, 'row ' || i, i FROM generate_series(1, 10) i;
                        CREATE INDEX ON t%1$d (updated_at)""".formatted(i));
            }
            statement.execute("VACUUM ANALYZE");
        }
    }

    private static Process serve(EmbeddedPostgres postgres, Path folder, int tables) throws IOException {
        StringBuilder settings = new StringBuilder("replication:\n  tables:\n");
        for (int i = 0; i < tables; i++) {
            settings.append("    - {name: t%d, cursorColumn: updated_at, intervalMs: 1000}%n".formatted(i));
        }
        Path file = Files.writeString(folder.resolve("perigee.yaml"), settings);
        String heap = System.getenv().getOrDefault("HEAP", "256m");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + heap,
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.perigee.cli.Main",
                        "serve",
                        "--port",
                        "0",
                        "--config",
                        file.toString(),
                        "--data",
                        folder.resolve("data").toString())
                .redirectError(folder.resolve("server.log").toFile());
        builder.environment()
                .putAll(Map.of(
                        "ADMIN_AUTHORIZATION_TOKEN",
                        TOKEN,
                        "CLIENT_AUTHORIZATION_TOKEN",
                        "client-" + TOKEN,
                        "EXTERNAL_DB_URL",
                        "postgres://postgres:postgres@127.0.0.1:%d/postgres".formatted(postgres.getPort())));
        return builder.start();
    }

    private void awaitLoaded() throws IOException, InterruptedException {
        long started = System.nanoTime();
        while (ages().size() < tables) {
            if (System.nanoTime() - started > LOAD_LIMIT.toNanos()) {
                throw new IllegalStateException("only %d tables were loaded".formatted(ages().size()));
            }
            Thread.sleep(2_000); // an answer names all tables
        }
        System.out.printf("%,d tables, loaded after %.1f s%n", tables, (System.nanoTime() - started) / 1e9);
        Thread.sleep(15_000); // their last changes are sealed, and the JVM has compiled what is hot
    }

    private void measure(int changing, int seconds) throws Exception {
        long perigee = cpu(List.of(server.pid()));
        long database = cpu(postgresPids());
        long transactions = transactions();
        text("SELECT pg_stat_statements_reset()");
        long started = System.nanoTime();
        Thread writer = Thread.ofPlatform().daemon().start(() -> write(changing));
        List<Long> ages = new ArrayList<>();
        while (System.nanoTime() - started < seconds * 1_000_000_000L) {
            Thread.sleep(SAMPLE);
            ages.addAll(ages());
        }
        double took = (System.nanoTime() - started) / 1e9;
        writer.interrupt();
        writer.join();
        Collections.sort(ages);
        System.out.printf(
                "%,3d changing: Perigee %.1f %%, PostgreSQL %.1f %% of a core; %.1f transactions/s with %.1f statements/s; age of completeAsOf p50 %d ms, p99 %d ms, max %d ms; resident %d MiB%n",
                changing,
                (cpu(List.of(server.pid())) - perigee) * 100.0 / TICKS_PER_SECOND / took,
                (cpu(postgresPids()) - database) * 100.0 / TICKS_PER_SECOND / took,
                (transactions() - transactions) / took,
                Long.parseLong(text("SELECT sum(calls) FROM pg_stat_statements")) / took,
                at(ages, 0.5),
                at(ages, 0.99),
                ages.getLast(),
                residentMib());
    }

    private void write(int changing) {
        if (changing == 0) return;
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            for (int round = 0; !Thread.interrupted(); round++) {
                for (int i = 0; i < changing; i++) {
                    statement.execute("UPDATE t%d SET amount = amount + 1, updated_at = clock_timestamp() WHERE id = %d"
                            .formatted(i * (tables / changing), 1 + round % 10));
                }
                Thread.sleep(1000);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException _) {
            // The measurement has ended.
        }
    }

    /// The age of each table that has one, in milliseconds.
    private List<Long> ages() throws IOException, InterruptedException {
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(address.resolve("/replication/status"))
                        .header("Authorization", "Bearer " + TOKEN)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        Instant now = Instant.now();
        List<Long> ages = new ArrayList<>();
        for (JsonNode table : JSON.readTree(answer.body()).at("/result/tables")) {
            String asOf = table.path("completeAsOf").asString("");
            if (!asOf.isEmpty())
                ages.add(Duration.between(Instant.parse(asOf), now).toMillis());
        }
        return ages;
    }

    private static long at(List<Long> sorted, double part) {
        return sorted.get((int) Math.min(sorted.size() - 1, part * sorted.size()));
    }

    private long transactions() throws SQLException {
        return Long.parseLong(
                text("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"));
    }

    private String text(String sql) throws SQLException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /// The server and its sessions, those that serve the benchmark's own few statements among them.
    private List<Long> postgresPids() throws SQLException, IOException {
        long postmaster = Long.parseLong(Files.readAllLines(Path.of(text("SHOW data_directory"), "postmaster.pid"))
                .getFirst());
        List<Long> pids = new ArrayList<>(List.of(postmaster));
        ProcessHandle.of(postmaster)
                .ifPresent(process -> process.children().map(ProcessHandle::pid).forEach(pids::add));
        return pids;
    }

    /// CPU time of processes and of their children that have ended, in ticks.
    private static long cpu(List<Long> pids) throws IOException {
        long ticks = 0;
        for (long pid : pids) {
            Path stat = Path.of("/proc/%d/stat".formatted(pid));
            if (!Files.exists(stat)) continue;
            String text = Files.readString(stat);
            String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ");
            for (int i = 11; i <= 14; i++) ticks += Long.parseLong(fields[i]);
        }
        return ticks;
    }

    private long residentMib() throws IOException {
        String pages = Files.readString(Path.of("/proc/%d/statm".formatted(server.pid())))
                .split(" ")[1];
        return Long.parseLong(pages) * 4096 >> 20;
    }
}
