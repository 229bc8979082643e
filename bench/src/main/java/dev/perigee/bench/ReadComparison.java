package dev.perigee.bench;

import dev.perigee.bench.HttpLoad.Figures;
import dev.perigee.config.StoreConfig;
import dev.perigee.store.Store;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Point reads by primary key over `POST /query`, from 64 connections, beside [HelloServer], each server in a JVM of
/// its own with `-Xmx256m`, in turn, several times; prints requests per second, p50, p99 and the ratio of medians.
///
/// Arguments: rows of `events` (default 1 000 000), repeats (default 3), seconds for each (default 5). A third
/// contender runs when the environment's `HTTPD` names a program that takes a port and a SQLite file.
public final class ReadComparison {
    private static final int CONNECTIONS = 64;
    private static final Duration WARM_UP = Duration.ofSeconds(8);
    private static final String HEAP = "-Xmx256m";
    private static final String TOKEN = "token-of-the-benchmark";
    private static final Pattern LISTENING = Pattern.compile("Listening on http://127\\.0\\.0\\.1:(\\d+)/");

    /// Rows of the shape and size of [Events]'s.
    private static final String FILL = """
            WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
            INSERT INTO events
            SELECT i, i * 7919 %% 100000, 'login_okay', i * 104729 %% 100000000 / 100.0,
                json_object('n', i %% 1000, 'ip', '10.' || (i %% 256) || '.7.7', 'ua', hex(i * 7919 || 'agent'),
                    'tags', json_array('a', 'b' || (i %% 10))),
                i %% 3 = 0, '2024-01-01T00:00:00.123456Z', '2025-01-01T00:00:00.654321Z'
            FROM n""";

    private ReadComparison() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        long rowCount = args.length > 0 ? Long.parseLong(args[0]) : 1_000_000;
        int repeats = args.length > 1 ? Integer.parseInt(args[1]) : 3;
        Duration measured = Duration.ofSeconds(args.length > 2 ? Long.parseLong(args[2]) : 5);
        Path folder = Files.createTempDirectory("perigee-bench");
        try {
            System.out.printf("filling events with %,d rows%n", rowCount);
            Path file = fill(folder, rowCount);
            Map<String, List<Figures>> figures = new LinkedHashMap<>();
            for (int round = 0; round < repeats; round++) {
                for (var contender : contenders(folder, file).entrySet()) {
                    Figures seen = measure(contender.getValue(), folder, rowCount, measured);
                    System.out.printf(
                            "%-14s %,9.0f requests/s   p50 %,7.0f us   p99 %,7.0f us%n",
                            contender.getKey(), seen.perSecond(), seen.p50Micros(), seen.p99Micros());
                    figures.computeIfAbsent(contender.getKey(), _ -> new ArrayList<>())
                            .add(seen);
                }
            }
            System.out.println();
            double hello = median(figures.get("hello"));
            figures.forEach((name, all) -> System.out.printf(
                    "%-14s median %,9.0f requests/s, %.2f of hello%n", name, median(all), median(all) / hello));
        } finally {
            delete(folder);
        }
    }

    /// A replica as the server finds it at its start.
    private static Path fill(Path folder, long rowCount) {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            store.write(transaction -> {
                transaction.connection().exec(Events.CREATE);
                transaction.connection().exec(FILL.formatted(rowCount));
                return true;
            });
            return store.file();
        }
    }

    private static Map<String, List<String>> contenders(Path folder, Path file) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classPath = System.getProperty("java.class.path");
        Map<String, List<String>> contenders = new LinkedHashMap<>();
        contenders.put("hello", List.of(java, HEAP, "-cp", classPath, HelloServer.class.getName()));
        contenders.put(
                "perigee",
                List.of(
                        java,
                        HEAP,
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        classPath,
                        "dev.perigee.cli.Main",
                        "serve",
                        "--port",
                        "0",
                        "--data",
                        folder.toString()));
        String c = System.getenv("HTTPD");
        if (c != null) {
            contenders.put("C, SQLite", List.of("sh", "-c", """
                    "$0" "$1" "$2" & trap 'kill $!' TERM; sleep 1
                    echo "Listening on http://127.0.0.1:$1/"; wait""", c, "" + freePort(), file.toString()));
        }
        return contenders;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static Figures measure(List<String> command, Path folder, long rowCount, Duration measured)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(folder.resolve("server.log").toFile());
        builder.environment().put("ADMIN_AUTHORIZATION_TOKEN", TOKEN);
        Process server = builder.start();
        try {
            int port = port(server.inputReader());
            return new HttpLoad(port, requests(rowCount)).run(CONNECTIONS, WARM_UP, measured);
        } finally {
            server.destroy();
            server.waitFor();
        }
    }

    static int port(BufferedReader output) throws IOException {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            Matcher matcher = LISTENING.matcher(line);
            if (matcher.find()) return Integer.parseInt(matcher.group(1));
        }
        throw new IOException("the server did not start");
    }

    /// Keys from all over the table, the same ones in every run.
    private static LongFunction<byte[]> requests(long rowCount) {
        return n -> {
            long id = Math.floorMod(n * 0x9E3779B97F4A7C15L >>> 1, rowCount) + 1;
            String body = "{\"sql\":\"SELECT * FROM events WHERE id = ?\",\"params\":[" + id + "]}";
            return ("POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + TOKEN
                            + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n"
                            + body)
                    .getBytes(StandardCharsets.US_ASCII);
        };
    }

    static double median(List<Figures> figures) {
        double[] sorted =
                figures.stream().mapToDouble(Figures::perSecond).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
