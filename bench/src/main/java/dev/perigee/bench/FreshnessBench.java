package dev.perigee.bench;

import dev.perigee.freshness.FreshnessChecker;
import dev.perigee.freshness.FreshnessChecker.Result;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// One writer and 64 readers who say how fresh their answers must be, see [FreshnessChecker]: first with a copy in mode
/// `cursor`, then in mode `xmin`, both at an interval of 1 s, then in mode `log`. Perigee runs in a JVM of its own.
/// Exits with 1 if an answer was stale.
///
/// Arguments: seconds per mode (default 60), transactions per second (default 500), seed (default 1).
public final class FreshnessBench {
    private static final String TOKEN = "admin-token-of-the-benchmark";
    private static final List<String> MODES =
            List.of("\"cursorColumn\": \"at\"", "\"mode\": \"xmin\"", "\"mode\": \"log\"");

    private FreshnessBench() {}

    public static void main(String[] args) throws Exception {
        int seconds = args.length > 0 ? Integer.parseInt(args[0]) : 60;
        int perSecond = args.length > 1 ? Integer.parseInt(args[1]) : 500;
        long seed = args.length > 2 ? Long.parseLong(args[2]) : 1;
        System.out.printf("%d s for each mode, %d transactions per second, seed %d%n", seconds, perSecond, seed);
        boolean isStale = false;
        for (String mode : MODES) {
            Path folder = Files.createTempDirectory("perigee-bench");
            try (EmbeddedPostgres postgres = EmbeddedPostgres.builder()
                    .setServerConfig("wal_level", "logical")
                    .start()) {
                isStale |= check(postgres, folder, mode, seconds, perSecond, seed);
            } finally {
                delete(folder);
            }
        }
        if (isStale) System.exit(1);
    }

    private static boolean check(
            EmbeddedPostgres postgres, Path folder, String mode, int seconds, int perSecond, long seed)
            throws Exception {
        String jdbc =
                "jdbc:postgresql://127.0.0.1:%d/postgres?user=postgres&password=postgres".formatted(postgres.getPort());
        FreshnessChecker.create(jdbc);
        Process server = serve(postgres, folder);
        try {
            URI address = URI.create("http://127.0.0.1:" + ReadComparison.port(server.inputReader()));
            post(
                    address.resolve("/replication/tables"),
                    "{\"name\": \"ledger\", \"interval\": \"1s\", %s}".formatted(mode));
            post(address.resolve("/replication/sync"), "{\"tables\": [\"ledger\"]}");
            FreshnessChecker checker = new FreshnessChecker(address, TOKEN, jdbc, perSecond);
            Result result = checker.run(Duration.ofSeconds(seconds), seed);
            System.out.printf("%s: %s%n", mode, result);
            if (result.stale() > 0) System.out.println(checker.firstStale());
            return result.stale() > 0;
        } finally {
            server.destroy();
            if (!server.waitFor(60, TimeUnit.SECONDS)) server.destroyForcibly();
        }
    }

    private static Process serve(EmbeddedPostgres postgres, Path folder) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.perigee.cli.Main",
                        "serve",
                        "--port",
                        "0",
                        "--data",
                        folder.resolve("data").toString())
                .redirectError(folder.resolve("server.log").toFile());
        builder.environment()
                .putAll(Map.of(
                        "ADMIN_AUTHORIZATION_TOKEN",
                        TOKEN,
                        "EXTERNAL_DB_URL",
                        "postgres://postgres:postgres@127.0.0.1:%d/postgres".formatted(postgres.getPort())));
        return builder.start();
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }

    private static void post(URI address, String body) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(address)
                            .header("Authorization", "Bearer " + TOKEN)
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) throw new IllegalStateException(answer.body());
        }
    }
}
