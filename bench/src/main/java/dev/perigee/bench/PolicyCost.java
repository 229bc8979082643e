package dev.perigee.bench;

import dev.perigee.bench.HttpLoad.Figures;
import dev.perigee.config.StoreConfig;
import dev.perigee.store.Store;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// What row-level security costs a client's SELECT: a server with a policy on the column `owner`, and in turn one
/// without policies that is sent the same SELECT with `owner = …` written out, so that both give the same answers. Over
/// `POST /query` from 8 connections, each server in a JVM of its own with `-Xmx256m`; prints medians and ratios.
///
/// Arguments: rows of the table, 1000 owners in turn (default 100 000), repeats (default 3), seconds for each (default
/// 3).
public final class PolicyCost {
    private static final int CONNECTIONS = 8;
    private static final int OWNERS = 1000;
    private static final Duration WARM_UP = Duration.ofSeconds(3);
    private static final String ADMIN = "admin-token-of-the-benchmark";
    private static final String CLIENT = "client-token-of-the-benchmark";

    /// @param sql as the policed client sends it
    /// @param written the same with the policy's condition
    private record Select(String name, String sql, String written) {}

    private static final List<Select> SELECTS = List.of(
            new Select(
                    "a row by its key",
                    "SELECT * FROM notes WHERE id = 7007",
                    "SELECT * FROM notes WHERE id = 7007 AND owner = 7"),
            new Select(
                    "the last 20 rows",
                    "SELECT * FROM notes ORDER BY id DESC LIMIT 20",
                    "SELECT * FROM notes WHERE owner = 7 ORDER BY id DESC LIMIT 20"),
            new Select(
                    "a count",
                    "SELECT count(*) AS n FROM notes WHERE body LIKE '%9%'",
                    "SELECT count(*) AS n FROM notes WHERE owner = 7 AND body LIKE '%9%'"));

    private PolicyCost() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        long rowCount = args.length > 0 ? Long.parseLong(args[0]) : 100_000;
        int repeats = args.length > 1 ? Integer.parseInt(args[1]) : 3;
        Duration measured = Duration.ofSeconds(args.length > 2 ? Long.parseLong(args[2]) : 3);
        Path folder = Files.createTempDirectory("perigee-bench");
        try {
            fill(folder, rowCount);
            System.out.printf("%,d rows, %,d of them the client's%n", rowCount, rowCount / OWNERS);
            List<List<Figures>> policed = new ArrayList<>();
            List<List<Figures>> written = new ArrayList<>();
            for (Select _ : SELECTS) {
                policed.add(new ArrayList<>());
                written.add(new ArrayList<>());
            }
            for (int round = 0; round < repeats; round++) {
                measure(folder, true, measured, policed);
                measure(folder, false, measured, written);
            }
            for (int i = 0; i < SELECTS.size(); i++) {
                double with = ReadComparison.median(policed.get(i));
                double without = ReadComparison.median(written.get(i));
                System.out.printf(
                        "%-18s policed %,8.0f/s   written out %,8.0f/s   ratio %.2f%n",
                        SELECTS.get(i).name(), with, without, with / without);
            }
        } finally {
            ReadComparison.delete(folder);
        }
    }

    private static void fill(Path folder, long rowCount) {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            store.write(transaction -> {
                transaction.connection().exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER, body TEXT)");
                transaction.connection().exec("""
                        WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
                        INSERT INTO notes SELECT i, i %% %d, 'note ' || hex(i * 7919) FROM n""".formatted(rowCount, OWNERS));
                transaction.connection().exec("CREATE INDEX notes_owner ON notes (owner)");
                return true;
            });
        }
    }

    private static void measure(Path folder, boolean isPoliced, Duration measured, List<List<Figures>> figures)
            throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(
                        java,
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.perigee.cli.Main",
                        "serve",
                        "--port",
                        "0",
                        "--data",
                        folder.toString())
                .redirectError(folder.resolve("server.log").toFile());
        builder.environment().put("ADMIN_AUTHORIZATION_TOKEN", ADMIN);
        builder.environment().put("CLIENT_AUTHORIZATION_TOKEN", CLIENT);
        builder.environment().put("ENABLE_RLS", String.valueOf(isPoliced));
        Process server = builder.start();
        try {
            int port = ReadComparison.port(server.inputReader());
            if (isPoliced) {
                ask(port, ADMIN, "DELETE FROM tmp_rls_policies");
                ask(
                        port,
                        ADMIN,
                        "INSERT INTO tmp_rls_policies (actions, \\\"table\\\", \\\"column\\\", value, value_type)"
                                + " VALUES ('SELECT', 'notes', 'owner', '7', 'number')");
            }
            for (int i = 0; i < SELECTS.size(); i++) {
                Select select = SELECTS.get(i);
                String sql = isPoliced ? select.sql() : select.written();
                if (ask(port, CLIENT, sql).contains("[]")) throw new IOException("no rows for " + sql);
                byte[] request = request(sql);
                Figures seen = new HttpLoad(port, _ -> request).run(CONNECTIONS, WARM_UP, measured);
                System.out.printf(
                        "%-12s %-18s %,8.0f requests/s   p50 %,7.0f us%n",
                        isPoliced ? "policed" : "written out", select.name(), seen.perSecond(), seen.p50Micros());
                figures.get(i).add(seen);
            }
        } finally {
            server.destroy();
            server.waitFor();
        }
    }

    /// @return the answer's body
    private static String ask(int port, String token, String sql) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/query"))
                            .header("Authorization", "Bearer " + token)
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofString("{\"sql\":\"" + sql + "\"}"))
                            .build(),
                    BodyHandlers.ofString());
            if (answer.statusCode() != 200) throw new IOException(sql + ": " + answer.body());
            return answer.body();
        }
    }

    private static byte[] request(String sql) {
        String body = "{\"sql\":\"" + sql + "\"}";
        return ("POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + CLIENT
                        + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.US_ASCII);
    }
}
