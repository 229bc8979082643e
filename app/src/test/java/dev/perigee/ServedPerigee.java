package dev.perigee;

import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.SourceConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A whole Perigee on a free port, and somebody with the admin token who talks to it over HTTP.
public final class ServedPerigee implements AutoCloseable {
    public static final String TOKEN = "admin-token-of-the-test";
    public static final String CLIENT_TOKEN = "client-token-of-the-test";

    public record Reply(int status, String text) {
        public JsonNode json() {
            return Json.MAPPER.readTree(text);
        }

        public JsonNode result() {
            if (status != 200) throw new AssertionError("status " + status + ": " + text);
            return json().get("result");
        }
    }

    private final Perigee perigee;
    private final HttpClient http = HttpClient.newHttpClient();

    private ServedPerigee(Perigee perigee) {
        this.perigee = perigee;
    }

    /// Retries come within a second, so that tests need not wait long.
    public static ServedPerigee open(Path folder, SourceConfig source) {
        return open(folder, Optional.of(source), QueryConfig.defaults());
    }

    /// With other limits of statements, and without an external database.
    public static ServedPerigee open(Path folder, QueryConfig queries) {
        return open(folder, Optional.empty(), queries);
    }

    /// Without an external database.
    public static ServedPerigee open(Path folder) {
        return open(folder, Optional.empty(), QueryConfig.defaults());
    }

    private static ServedPerigee open(Path folder, Optional<SourceConfig> source, QueryConfig queries) {
        return open(folder, source, queries, retryingSoon());
    }

    /// Without clients, and so without the worker process that is started for them: a second of a processor's time.
    public static ServedPerigee forAdmins(Path folder) {
        return open(folder, Optional.empty(), Optional.empty(), QueryConfig.defaults(), retryingSoon());
    }

    /// The same with an external database.
    public static ServedPerigee forAdmins(Path folder, SourceConfig source) {
        return open(folder, Optional.empty(), Optional.of(source), QueryConfig.defaults(), retryingSoon());
    }

    private static ReplicationConfig retryingSoon() {
        return new ReplicationConfig(List.of(), 2, 100, Duration.ofMillis(200), Duration.ofSeconds(1));
    }

    /// With everything as it is given.
    public static ServedPerigee open(
            Path folder, Optional<SourceConfig> source, QueryConfig queries, ReplicationConfig replication) {
        return open(folder, Optional.of(CLIENT_TOKEN), source, queries, replication);
    }

    private static ServedPerigee open(
            Path folder,
            Optional<String> clientToken,
            Optional<SourceConfig> source,
            QueryConfig queries,
            ReplicationConfig replication) {
        ServeConfig plain = ServeConfig.of(0, TOKEN);
        ServeConfig.Access access = plain.access();
        ServeConfig serve = plain.with(
                new ServeConfig.Access(access.adminToken(), clientToken, access.jwksEndpoint(), access.jwtAlgorithm()));
        return new ServedPerigee(
                Perigee.open(new PerigeeConfig(StoreConfig.of(folder), serve, queries, source, replication)));
    }

    public int port() {
        return perigee.port();
    }

    public Perigee perigee() {
        return perigee;
    }

    /// Calls as admin. JSON may have single quotes for double ones.
    public Reply call(String method, String path, String json) {
        return call(TOKEN, method, path, json.replace('\'', '"'));
    }

    public Reply call(String token, String method, String path, String json) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(json))
                .build();
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.body());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Rows of a statement run with the admin's rights.
    public JsonNode query(String sql) {
        return call(TOKEN, "POST", "/query", Json.MAPPER.writeValueAsString(java.util.Map.of("sql", sql)))
                .result();
    }

    /// The only cell of the only row.
    public String value(String sql) {
        return query(sql).get(0).iterator().next().asString();
    }

    /// Drops the tables and views that are none of Perigee's own, for the next test.
    public void clear() {
        perigee.store().write(tx -> {
            List<String> drops = new ArrayList<>();
            SqliteStatement found = tx.statement("""
                    SELECT 'DROP ' || type || ' IF EXISTS "' || replace(name, '"', '""') || '"' FROM sqlite_schema
                    WHERE type IN ('table', 'view') AND name NOT LIKE 'tmp\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
                    ORDER BY type = 'table', sql NOT LIKE 'CREATE VIRTUAL%'""");
            while (found.step()) drops.add(found.textAt(0));
            found.reset();
            drops.forEach(tx.connection()::exec);
            return drops.size();
        });
    }

    /// Runs statements in one transaction, without HTTP and any caller's limits.
    public void execute(List<String> statements) {
        perigee.store().write(tx -> {
            statements.forEach(tx.connection()::exec);
            return true;
        });
    }

    public JsonNode status(String table) {
        return call("GET", "/replication/status/" + table, "").result();
    }

    @Override
    public void close() {
        http.close();
        perigee.close();
    }
}
