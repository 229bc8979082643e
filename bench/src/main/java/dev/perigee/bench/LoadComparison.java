package dev.perigee.bench;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// `perigee sync` of the eight-column `events` table into a new file beside what others do with the same rows, each in
/// a process of its own, Java with `-Xmx256m`, in turn, several times:
///
/// - one COPY stream to nothing ([CopyStream]),
/// - the usual JDBC program ([JdbcCopy]),
/// - where the environment's `PERIGEE_OTHER` is a class path, the Perigee on it, such as an earlier build,
/// - and where the environment's `PG2SQLITE` names a program that takes `port=`, `out=`, `mode=`, `journal=`, `sync=`,
///   `batch=` and `page=`: one stream to nothing, INSERT without a journal, and INSERT in WAL mode.
///
/// Prints medians, of the copying by each program's own clock and of the whole process with the JVM's start, and what
/// part of the stream's and of JDBC's speed that is. Writes all times to `bench/target/load.json`.
///
/// Arguments: rows (default 1 000 000), repeats (default 5; 3 above 2 000 000 rows).
public final class LoadComparison {
    private static final String HEAP = "-Xmx256m";
    private static final String STREAM = "stream";
    private static final String JDBC = "jdbc";
    private static final Pattern COPIED = Pattern.compile("\\b(?:ms\"?[=:](\\d+)|total_s=([\\d.]+))");
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

    private LoadComparison() {}

    public static void main(String[] args) throws IOException, InterruptedException, SQLException {
        long rowCount = args.length > 0 ? Long.parseLong(args[0]) : 1_000_000;
        int repeats = args.length > 1 ? Integer.parseInt(args[1]) : rowCount > 2_000_000 ? 3 : 5;
        Path folder = Files.createTempDirectory("perigee-bench");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start()) {
            System.out.printf("filling events with %,d rows%n", rowCount);
            fill(postgres, rowCount);
            Map<String, List<Time>> times = new LinkedHashMap<>();
            for (int round = 0; round < repeats; round++) {
                for (var contender : contenders(postgres.getPort(), folder).entrySet()) {
                    Time took = run(contender.getValue(), folder);
                    System.out.printf(
                            "%-20s copying %6.2f s  %,9.0f rows/s   process %6.2f s   load %.1f%n",
                            contender.getKey(),
                            took.copying(),
                            rowCount / took.copying(),
                            took.process(),
                            ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
                    times.computeIfAbsent(contender.getKey(), _ -> new ArrayList<>())
                            .add(took);
                }
            }
            report(times, rowCount);
        } finally {
            delete(folder);
        }
    }

    private static void report(Map<String, List<Time>> times, long rowCount) throws IOException {
        System.out.println();
        double stream = median(times.get(STREAM), Time::copying);
        double jdbc = median(times.get(JDBC), Time::process);
        List<String> json = new ArrayList<>();
        times.forEach((name, all) -> {
            double copying = median(all, Time::copying);
            double process = median(all, Time::process);
            System.out.printf(
                    Locale.ROOT,
                    "%-20s median: copying %6.2f s, %.2f of the stream; process %6.2f s, %.2f of the stream, %.2f times jdbc%n",
                    name,
                    copying,
                    stream / copying,
                    process,
                    stream / process,
                    jdbc / process);
            json.add("  {\"name\": \"%s\", \"copyingSeconds\": %s, \"processSeconds\": %s}"
                    .formatted(
                            name,
                            all.stream().map(Time::copying).toList(),
                            all.stream().map(Time::process).toList()));
        });
        Path file = Path.of("bench", "target", "load.json");
        Files.writeString(
                file, "{\"rows\": %d, \"contenders\": [%n%s%n]}%n".formatted(rowCount, String.join(",\n", json)));
        System.out.println("all times: " + file);
        if (System.getenv("PG2SQLITE") == null) {
            System.out.println("C is not measured: the environment's PG2SQLITE names no program");
        }
    }

    private static Map<String, List<String>> contenders(int port, Path folder) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classPath = System.getProperty("java.class.path");
        Map<String, List<String>> contenders = new LinkedHashMap<>();
        String url = "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres".formatted(port);
        contenders.put(STREAM, List.of(java, HEAP, "-cp", classPath, "dev.perigee.bench.CopyStream", url));
        contenders.put(
                JDBC,
                List.of(
                        java,
                        HEAP,
                        "-cp",
                        classPath,
                        "dev.perigee.bench.JdbcCopy",
                        url,
                        folder.resolve("jdbc.db").toString()));
        contenders.put("perigee sync", perigee(java, classPath, port, folder));
        String other = System.getenv("PERIGEE_OTHER");
        if (other != null) contenders.put("perigee, other", perigee(java, other, port, folder));
        String c = System.getenv("PG2SQLITE");
        if (c != null) {
            List<String> program = List.of(c, "port=" + port, "out=" + folder.resolve("c.db"), "page=16384");
            contenders.put("C, stream", with(program, "mode=net"));
            contenders.put("C, no journal", with(program, "mode=full1", "journal=off", "sync=off"));
            contenders.put("C, WAL", with(program, "mode=full1", "journal=wal", "sync=normal", "batch=10000"));
        }
        return contenders;
    }

    private static List<String> perigee(String java, String classPath, int port, Path folder) {
        return List.of(
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
                folder.resolve("perigee.db").toString());
    }

    private static List<String> with(List<String> program, String... options) {
        return Stream.concat(program.stream(), Stream.of(options)).toList();
    }

    private static Time run(List<String> command, Path folder) throws IOException, InterruptedException {
        clear(folder);
        Path log = folder.resolve("log.txt");
        long start = System.nanoTime();
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("PGUSER", "postgres");
        Process process = builder.start();
        int code = process.waitFor();
        double seconds = (System.nanoTime() - start) / 1e9;
        String said = Files.readString(log);
        if (code != 0) throw new IllegalStateException("exit code " + code + ":\n" + said);
        Matcher copied = COPIED.matcher(said);
        if (!copied.find()) return new Time(seconds, seconds);
        String ms = copied.group(1);
        return new Time(seconds, ms == null ? Double.parseDouble(copied.group(2)) : Long.parseLong(ms) / 1000.0);
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
