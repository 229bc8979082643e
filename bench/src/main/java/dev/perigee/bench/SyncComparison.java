package dev.perigee.bench;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// `perigee sync` of the eight-column `events` table beside [JdbcCopy], each in a JVM of its own with `-Xmx256m`, in
/// turn, several times; prints medians and ratios: of the copying, by each program's own clock, and of the whole
/// process, the JVM's start included.
///
/// Arguments: rows (default 1 000 000), repeats (default 3). A third contender runs when the environment's `PG2SQLITE`
/// names a program that takes `port=`, `out=`, `journal=wal sync=normal batch=10000 page=16384`.
public final class SyncComparison {
    private static final String HEAP = "-Xmx256m";
    private static final Pattern COPIED = Pattern.compile("\\bms\"?[=:](\\d+)");
    private static final String EVENTS = """
            CREATE TABLE events (
                id bigint PRIMARY KEY, account_id int NOT NULL, kind text NOT NULL, amount numeric(12,2) NOT NULL,
                payload jsonb NOT NULL, flag boolean NOT NULL, created_at timestamptz NOT NULL,
                updated_at timestamptz NOT NULL);
            INSERT INTO events
            SELECT i, ((i * 7919) %% 100000)::int,
                (ARRAY['page_view ','checkout__','login_okay','logout____','add_cart__','rm_cart___','search____',
                    'refund____'])[1 + (i * 31) %% 8],
                round((((i * 104729) %% 100000000) / 100.0)::numeric, 2),
                jsonb_build_object('ip', '10.' || (i %% 256) || '.' || ((i / 256) %% 256) || '.7',
                    'ua', substr(md5(i::text), 1, 24), 'n', i %% 1000,
                    'tags', jsonb_build_array('a', 'b' || (i %% 10))),
                (i %% 3 = 0),
                timestamptz '2024-01-01 00:00:00+00' + (i * interval '1.234567 second'),
                timestamptz '2025-01-01 00:00:00+00' + (i * interval '0.765432 second')
            FROM generate_series(1::bigint, %d::bigint) AS g(i);
            """;

    /// @param process from start to exit, in seconds
    /// @param copying as the program says, in seconds; the process where it says nothing
    private record Time(double process, double copying) {}

    private SyncComparison() {}

    public static void main(String[] args) throws IOException, InterruptedException, SQLException {
        long rowCount = args.length > 0 ? Long.parseLong(args[0]) : 1_000_000;
        int repeats = args.length > 1 ? Integer.parseInt(args[1]) : 3;
        Path folder = Files.createTempDirectory("perigee-bench");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start()) {
            System.out.printf("filling events with %,d rows%n", rowCount);
            fill(postgres, rowCount);
            Map<String, List<Time>> times = new LinkedHashMap<>();
            for (int round = 0; round < repeats; round++) {
                for (var contender : contenders(postgres.getPort(), folder).entrySet()) {
                    Time took = run(contender.getValue(), folder);
                    System.out.printf(
                            "%-14s copying %6.2f s  %,9.0f rows/s   process %6.2f s%n",
                            contender.getKey(), took.copying(), rowCount / took.copying(), took.process());
                    times.computeIfAbsent(contender.getKey(), _ -> new ArrayList<>())
                            .add(took);
                }
            }
            System.out.println();
            double copying = median(times.get("jdbc"), Time::copying);
            double process = median(times.get("jdbc"), Time::process);
            times.forEach((name, all) -> System.out.printf(
                    "%-14s median: copying %,9.0f rows/s, %.2f times jdbc; process %.2f s, %.2f times jdbc%n",
                    name,
                    rowCount / median(all, Time::copying),
                    copying / median(all, Time::copying),
                    median(all, Time::process),
                    process / median(all, Time::process)));
        } finally {
            delete(folder);
        }
    }

    private static Map<String, List<String>> contenders(int port, Path folder) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classPath = System.getProperty("java.class.path");
        Map<String, List<String>> contenders = new LinkedHashMap<>();
        contenders.put(
                "jdbc",
                List.of(
                        java,
                        HEAP,
                        "-cp",
                        classPath,
                        "dev.perigee.bench.JdbcCopy",
                        "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres".formatted(port),
                        folder.resolve("jdbc.db").toString()));
        contenders.put(
                "perigee sync",
                List.of(
                        java,
                        HEAP,
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath,
                        "dev.perigee.cli.Main",
                        "sync",
                        "--from",
                        "postgres://postgres@127.0.0.1:%d/postgres".formatted(port),
                        "--table",
                        "events",
                        "--cursor",
                        "id",
                        "--json",
                        "--to",
                        folder.resolve("perigee.db").toString()));
        String c = System.getenv("PG2SQLITE");
        if (c != null) {
            contenders.put(
                    "C, WAL",
                    List.of(
                            c,
                            "port=" + port,
                            "out=" + folder.resolve("c.db"),
                            "journal=wal",
                            "sync=normal",
                            "batch=10000",
                            "page=16384"));
        }
        return contenders;
    }

    private static Time run(List<String> command, Path folder) throws IOException, InterruptedException {
        clear(folder);
        Path log = folder.resolve("log.txt");
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int code = process.waitFor();
        double seconds = (System.nanoTime() - start) / 1e9;
        String said = Files.readString(log);
        if (code != 0) throw new IllegalStateException("exit code " + code + ":\n" + said);
        Matcher copied = COPIED.matcher(said);
        return new Time(seconds, copied.find() ? Long.parseLong(copied.group(1)) / 1000.0 : seconds);
    }

    static void fill(EmbeddedPostgres postgres, long rowCount) throws SQLException {
        try (Connection connection = DriverManager.getConnection(postgres.getJdbcUrl("postgres", "postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute(EVENTS.formatted(rowCount));
            statement.execute("VACUUM (FREEZE, ANALYZE) events");
        }
    }

    private static double median(List<Time> times, ToDoubleFunction<Time> which) {
        return median(times.stream().map(which::applyAsDouble).toList());
    }

    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    private static void clear(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) Files.delete(file);
        }
    }

    private static void delete(Path folder) throws IOException {
        clear(folder);
        Files.delete(folder);
    }
}
