package dev.perigee.bench;

import dev.perigee.Perigee;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.SourceConfig;
import dev.perigee.config.StoreConfig;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// How long sweeps take and how many keys they exchange, beside tables with an integer and with a text key. One server,
/// asked over HTTP; run it with `-Xmx256m`.
///
/// Argument: rows of each table (default 2 000 000).
public final class SweepTimes {
    private static final String TOKEN = "the-admin-token-of-the-benchmark";
    private static final String FILL = """
            CREATE TABLE %1$s (k %2$s PRIMARY KEY, n bigint NOT NULL, account int NOT NULL, note text NOT NULL);
            INSERT INTO %1$s SELECT %3$s, i, i %% 1000, md5(i::text) FROM generate_series(1::bigint, %4$d::bigint) i""";

    private final HttpClient http = HttpClient.newHttpClient();
    private final int port;
    private final Statement source;

    private SweepTimes(int port, Statement source) {
        this.port = port;
        this.source = source;
    }

    public static void main(String[] args) throws IOException, InterruptedException, SQLException {
        long rows = args.length > 0 ? Long.parseLong(args[0]) : 2_000_000;
        Path folder = Files.createTempDirectory("perigee-bench");
        try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start();
                Connection connection = DriverManager.getConnection(postgres.getJdbcUrl("postgres", "postgres"));
                Statement source = connection.createStatement();
                Perigee perigee = Perigee.open(config(folder, postgres.getPort()))) {
            SweepTimes times = new SweepTimes(perigee.port(), source);
            System.out.printf(
                    "%,d rows, heap at most %d MB%n", rows, Runtime.getRuntime().maxMemory() >> 20);
            times.table("by_number", "bigint", "i", rows);
            times.table("by_text", "text", "md5(i::text)", rows);
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) Files.delete(file);
            }
        }
    }

    private void table(String name, String type, String key, long rows)
            throws IOException, InterruptedException, SQLException {
        source.execute(FILL.formatted(name, type, key, rows));
        source.execute("VACUUM (FREEZE, ANALYZE) " + name);
        String fields = "{\"name\":\"%s\",\"cursorColumn\":\"n\",\"interval\":\"1h\",\"deletes\":\"sweep(24h)\"}";
        call("POST", "/replication/tables", fields.formatted(name));
        while (call("GET", "/replication/status/" + name, "").contains("\"guarantee\":\"loading\"")) {
            String answer = call("POST", "/replication/sync", "{\"tables\":[\"%s\"]}".formatted(name));
            if (answer.contains("\"error\"")) throw new IllegalStateException(answer);
        }
        for (int i = 0; i < 3; i++) sweep(name, "nothing deleted");
        source.execute("DELETE FROM %s WHERE n = %d".formatted(name, rows / 2));
        sweep(name, "one row deleted");
        source.execute("DELETE FROM %s WHERE n %% 100 = 7".formatted(name));
        sweep(name, "1 % deleted");
    }

    private void sweep(String name, String what) throws IOException, InterruptedException {
        long start = System.nanoTime();
        String answer = call("POST", "/replication/tables/" + name + "/sweep", "");
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                "%-10s %-16s %6.2f s  %,9d compared %,9d keys exchanged %,7d deleted%n",
                name,
                what,
                seconds,
                number(answer, "compared"),
                number(answer, "exchanged"),
                number(answer, "deleted"));
        if (answer.contains("\"error\"")) System.out.println(answer);
    }

    private String call(String method, String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    private static long number(String json, String field) {
        Matcher matcher = Pattern.compile("\"" + field + "\":(\\d+)").matcher(json);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : -1;
    }

    private static PerigeeConfig config(Path folder, int port) {
        SourceConfig source = new SourceConfig(
                "postgresql",
                "127.0.0.1",
                port,
                "postgres",
                "postgres",
                "postgres",
                "public",
                Map.of(),
                new SourceConfig.Limits(8, Duration.ofSeconds(10), Duration.ofSeconds(60)));
        return new PerigeeConfig(
                StoreConfig.of(folder),
                ServeConfig.of(0, TOKEN),
                QueryConfig.defaults(),
                Optional.of(source),
                new ReplicationConfig(List.of(), 2, 100, Duration.ofSeconds(1), Duration.ofSeconds(15)));
    }
}
