package dev.perigee.bench;

import dev.perigee.plugin.Json;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// How fast a server with `-Xmx256m` verifies its copy of the eight-column `events` table, PostgreSQL being on the same
/// machine: loads it once, verifies it several times, prints each and the median. Nothing differs, and each verdict is
/// looked at.
///
/// Arguments: rows (default 2 000 000), repeats (default 5). `VERIFY_JVM` has more options for the server's JVM.
public final class VerifyBench {
    private static final String TOKEN = "bench";
    private static final int PORT = 18_787;
    private static final long LOOK_MILLIS = 50;

    private final HttpClient http = HttpClient.newHttpClient();

    private VerifyBench() {}

    public static void main(String[] args) throws IOException, InterruptedException, SQLException {
        long rowCount = args.length > 0 ? Long.parseLong(args[0]) : 2_000_000;
        int repeats = args.length > 1 ? Integer.parseInt(args[1]) : 5;
        Path folder = Files.createTempDirectory("perigee-bench");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start()) {
            System.out.printf("filling events with %,d rows%n", rowCount);
            LoadComparison.fill(postgres, rowCount);
            Process server = server(postgres.getPort(), folder);
            try {
                new VerifyBench().run(rowCount, repeats, server);
            } finally {
                server.destroy();
                server.waitFor();
            }
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file :
                        files.sorted(java.util.Comparator.reverseOrder()).toList()) Files.delete(file);
            }
        }
    }

    private void run(long rowCount, int repeats, Process server) throws IOException, InterruptedException {
        awaitServer();
        call("POST", "/replication/tables", "{\"name\":\"events\",\"cursorColumn\":\"id\",\"interval\":\"1h\"}");
        JsonNode status = call("GET", "/replication/status/events", "");
        while (!status.has("lastSyncAt")) {
            Thread.sleep(LOOK_MILLIS);
            status = call("GET", "/replication/status/events", "");
        }
        if (status.path("rowCount").asLong() != rowCount) throw new IllegalStateException(status.toString());
        List<Double> rates = new ArrayList<>();
        for (int round = 0; round < repeats; round++) {
            double serverBefore = cpuSeconds(server.toHandle());
            call("POST", "/replication/tables/events/verify?wait=false", "");
            JsonNode proof = call("GET", "/replication/proof/events", "");
            while (proof.path("running").asBoolean()) {
                Thread.sleep(LOOK_MILLIS);
                proof = call("GET", "/replication/proof/events", "");
            }
            boolean isEqual = proof.path("verdict").asString("").equals("equal")
                    && proof.path("rows").asLong() == rowCount;
            if (!isEqual) throw new IllegalStateException(proof.toString());
            double seconds = proof.path("ms").asLong() / 1000.0;
            rates.add(rowCount / seconds);
            System.out.printf(
                    "%6.2f s  %,9.0f rows/s  server's CPU %.2f s%n",
                    seconds, rowCount / seconds, cpuSeconds(server.toHandle()) - serverBefore);
        }
        System.out.printf("median %,.0f rows/s%n", LoadComparison.median(rates));
    }

    private static double cpuSeconds(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1000.0;
    }

    private static Process server(int postgresPort, Path folder) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED"));
        String more = System.getenv("VERIFY_JVM");
        if (more != null) command.addAll(Arrays.asList(more.split(" ")));
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                "dev.perigee.cli.Main",
                "serve",
                "--data",
                folder.toString(),
                "--port",
                Integer.toString(PORT)));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log.txt").toFile());
        builder.environment().put("ADMIN_AUTHORIZATION_TOKEN", TOKEN);
        builder.environment()
                .put("EXTERNAL_DB_URL", "postgres://postgres@127.0.0.1:%d/postgres".formatted(postgresPort));
        return builder.start();
    }

    private void awaitServer() throws IOException, InterruptedException {
        while (true) {
            try {
                call("GET", "/replication/status", "");
                return;
            } catch (ConnectException e) {
                Thread.sleep(LOOK_MILLIS);
            }
        }
    }

    private JsonNode call(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + PORT + path))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IllegalStateException(response.body());
        return Json.MAPPER.readTree(response.body()).path("result");
    }
}
