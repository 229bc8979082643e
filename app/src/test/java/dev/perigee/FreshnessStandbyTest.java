package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.plugin.Json;
import dev.perigee.testing.FolderServer;
import dev.perigee.testing.TestPostgres;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Freshness of a copy that is made from a real standby, which then takes over.
class FreshnessStandbyTest {
    private static final String READ = "SELECT text FROM notes";

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();

    @Test
    void a_write_is_seen_once_the_standby_has_replayed_it_and_positions_end_with_a_failover() throws Exception {
        try (FolderServer primary = FolderServer.start(
                        folder.resolve("primary"), Map.of("autovacuum", "off", "synchronous_commit", "on"));
                FolderServer standby = primary.standby(folder.resolve("standby"));
                ServedPerigee perigee =
                        ServedPerigee.open(folder.resolve("data"), TestPostgres.config(standby.port(), "postgres"))) {
            primary.execute("""
                    CREATE TABLE notes (id int PRIMARY KEY, text text, at timestamptz NOT NULL DEFAULT now());
                    INSERT INTO notes VALUES (1, 'old')""");
            awaitReplay(primary, standby);
            perigee.call("POST", "/replication/tables", "{'name': 'notes', 'cursorColumn': 'at', 'interval': '1h'}")
                    .result();
            perigee.call("POST", "/replication/sync", "{}").result();

            standby.execute("SELECT pg_wal_replay_pause()");
            await().until(() ->
                    standby.value("SELECT pg_get_wal_replay_pause_state()").equals("paused"));
            String token = written(primary);
            assertThat(query(perigee, "X-Perigee-After", token, "X-Perigee-Wait", "500ms")
                            .statusCode())
                    .isEqualTo(503);
            standby.execute("SELECT pg_wal_replay_resume()");
            HttpResponse<String> seen = query(perigee, "X-Perigee-After", token);
            assertThat(seen.body()).contains("new");
            String position = seen.headers().firstValue("X-Perigee-Position").orElseThrow();
            assertThat(query(perigee, "X-Perigee-After", position).statusCode()).isEqualTo(200);

            standby.execute("SELECT pg_promote()");
            await().until(() -> standby.value("SELECT pg_is_in_recovery()").equals("f"));
            standby.execute("UPDATE notes SET text = 'after', at = clock_timestamp()");
            assertThat(query(perigee, "X-Perigee-Max-Staleness", "0s").body()).contains("after");
            HttpResponse<String> refused = query(perigee, "X-Perigee-After", position);
            assertThat(refused.statusCode()).isEqualTo(409);
            assertThat(refused.body()).contains("timeline");
            assertThat(query(perigee, "X-Perigee-After", token).statusCode()).isEqualTo(200);
        } finally {
            http.close();
        }
    }

    private static void awaitReplay(FolderServer primary, FolderServer standby) {
        String written = primary.value("SELECT pg_current_wal_lsn()");
        await().until(() -> standby.value("SELECT pg_last_wal_replay_lsn() >= '%s'".formatted(written))
                .equals("t"));
    }

    private static String written(FolderServer server) throws SQLException {
        try (Connection writer = server.connect();
                Statement statement = writer.createStatement()) {
            writer.setAutoCommit(false);
            statement.execute("UPDATE notes SET text = 'new', at = now()");
            try (ResultSet row = statement.executeQuery("""
                    SELECT 'x:' || (SELECT system_identifier FROM pg_control_system()) || ':' || pg_current_xact_id()""")) {
                row.next();
                String token = row.getString(1);
                writer.commit();
                return token;
            }
        }
    }

    private HttpResponse<String> query(ServedPerigee perigee, String... headers) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d/query".formatted(perigee.port())))
                        .timeout(Duration.ofSeconds(60))
                        .header("Authorization", "Bearer " + ServedPerigee.TOKEN)
                        .header("Content-Type", "application/json")
                        .headers(headers)
                        .POST(HttpRequest.BodyPublishers.ofString(Json.MAPPER.writeValueAsString(Map.of("sql", READ))))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
