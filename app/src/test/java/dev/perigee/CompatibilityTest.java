package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A client of StarbaseDB that is pointed at Perigee: its requests as they are, and what it reads of the answers.
class CompatibilityTest {
    private static final List<String> FILES = List.of("package.json", "package-lock.json", "transform.js");

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private ServedPerigee perigee;

    @BeforeEach
    void start() {
        perigee = ServedPerigee.forAdmins(folder.resolve("data"));
    }

    @AfterEach
    void stop() {
        http.shutdownNow();
        perigee.close();
    }

    private String address() {
        return "http://127.0.0.1:" + perigee.port();
    }

    private HttpResponse<String> send(String method, String path, String body, String... headers) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(address() + path)).method(method, BodyPublishers.ofString(body));
        if (headers.length > 0) request.headers(headers);
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private String post(String path, String body) {
        return send(
                        "POST",
                        path,
                        body,
                        "Authorization",
                        "Bearer " + ServedPerigee.TOKEN,
                        "Content-Type",
                        "application/json")
                .body();
    }

    private String get(String path) {
        return send("GET", path, "", "Authorization", "Bearer " + ServedPerigee.TOKEN)
                .body();
    }

    @Test
    void a_clients_day() {
        assertThat(post("/query", "{\"sql\":\"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)\"}"))
                .isEqualTo("{\"result\":[]}");
        assertThat(post("/query", "{\"sql\":\"INSERT INTO users (name, age) VALUES (?, ?)\",\"params\":[\"Ann\",42]}"))
                .isEqualTo("{\"result\":[]}");
        assertThat(post(
                        "/query/raw",
                        "{\"sql\":\"SELECT * FROM users WHERE name = :name\",\"params\":{\"name\":\"Ann\"}}"))
                .isEqualTo(
                        "{\"result\":{\"columns\":[\"id\",\"name\",\"age\"],\"rows\":[[1,\"Ann\",42]],\"meta\":{\"rows_read\":1,\"rows_written\":0}}}");
        assertThat(
                        post(
                                "/query/raw",
                                "{\"transaction\":[{\"sql\":\"INSERT INTO users (name) VALUES ('Bo')\"},{\"sql\":\"SELECT count(*) AS n FROM users\"}]}"))
                .contains("\"rows_written\":1", "[[2]]");
        assertThat(get("/rest/users")).contains("\"name\":\"Ann\"", "\"name\":\"Bo\"");
        assertThat(get("/rest/main/users/1")).contains("\"Ann\"").doesNotContain("Bo");
        assertThat(get("/rest/users?age.gte=18&sort_by=id&order=desc&limit=1")).contains("Ann");
        assertThat(post("/rest/users", "{\"name\":\"Cy\"}")).contains("Resource created successfully");
        assertThat(get("/export/json/users")).startsWith("[{\"id\":1");
        assertThat(get("/_internal/stats"))
                .contains("\"databaseSize\":", "\"activeConnections\":", "\"recentQueries\":", "\"plugins\":[");
        assertThat(post("/query", "{\"sql\":\"SELECT * FROM \\\"main\\\".sqlite_schema WHERE name = 'users'\"}"))
                .contains("CREATE TABLE users");
        assertThat(post("/query", "{\"sql\":\"SELECT * FROM \\\"main\\\".pragma_table_info('users')\"}"))
                .contains("\"name\":\"age\"");
    }

    @Test
    void what_clients_read_when_they_make_mistakes() {
        assertThat(post("/query", "{\"sql\":\"\"}")).isEqualTo("{\"error\":\"Invalid or empty \\\"sql\\\" field.\"}");
        assertThat(post("/query", "{\"sql\":\"SELECT 1\",\"params\":1}"))
                .isEqualTo("{\"error\":\"Invalid \\\"params\\\" field. Must be an array or object.\"}");
        assertThat(send(
                                "POST",
                                "/query",
                                "{}",
                                "Authorization",
                                "Bearer " + ServedPerigee.TOKEN,
                                "Content-Type",
                                "text/plain")
                        .body())
                .isEqualTo("{\"error\":\"Content-Type must be application/json.\"}");
        assertThat(send("POST", "/query", "{}", "Content-Type", "application/json")
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void a_browser_on_another_site_may_ask() {
        HttpResponse<String> asked = send(
                "OPTIONS", "/query", "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST");
        assertThat(asked.statusCode()).isEqualTo(204);
        assertThat(asked.headers().firstValue("Access-Control-Allow-Origin")).hasValue("*");
        assertThat(asked.headers().firstValue("Access-Control-Allow-Headers").orElse(""))
                .contains("Authorization", "X-Starbase-Source", "X-Starbase-Cache");
    }

    /// The package that Outerbase's clients read answers with, as it is published.
    @Test
    void the_published_package_reads_raw_answers() throws Exception {
        assumeTrue(runs("node", "--version"), "there is no node on this machine: the published package is not tried");
        Path project = Files.createDirectories(Path.of("target", "compatibility"));
        for (String file : FILES) {
            try (InputStream in = CompatibilityTest.class.getResourceAsStream("compat/" + file)) {
                Files.write(project.resolve(file), in.readAllBytes());
            }
        }
        boolean isThere = Files.isDirectory(project.resolve("node_modules/@outerbase/sdk-transform"))
                || run(project, List.of("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
                                .status()
                        == 0;
        assumeTrue(isThere, "the package could not be had: the published package is not tried");
        Ran ran = run(project, List.of("node", "transform.js", address(), ServedPerigee.TOKEN));
        assertThat(ran.status()).as(ran.text()).isZero();
        JsonNode results = JsonMapper.shared().readTree(ran.text());
        assertThat(results.get(0).get("headers").isEmpty()).isTrue();
        assertThat(results.get(1).get("stat").get("rowsWritten").asInt()).isEqualTo(2);
        assertThat(results.get(2).get("rows").toString())
                .isEqualTo("[{\"id\":1,\"name\":\"one\",\"price\":1.5},{\"id\":2,\"name\":\"two\",\"price\":null}]");
        assertThat(results.get(2).get("stat").get("rowsRead").asInt()).isEqualTo(2);
        assertThat(results.get(3).get("rows").toString()).isEqualTo("[{\"id\":1,\"id1\":2}]");
        List<String> names = new ArrayList<>();
        results.get(4)
                .get("headers")
                .forEach(header -> names.add(header.get("name").asString()));
        assertThat(names).containsExactly("id", "name", "price");
        // Columns that share a name are kept apart.
        assertThat(results.get(5).get("rows").toString())
                .isEqualTo("[{\"id\":2,\"id1\":2,\"name\":\"two\",\"price\":null}]");
        assertThat(results.get(6).get("rows").toString()).isEqualTo("[{\"id\":3,\"name\":\"three\"}]");
    }

    private record Ran(int status, String text) {}

    private static boolean runs(String... command) {
        try {
            return run(Path.of("."), List.of(command)).status() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Ran run(Path folder, List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(2, TimeUnit.MINUTES)) process.destroyForcibly();
        return new Ran(process.exitValue(), text);
    }
}
