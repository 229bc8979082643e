package dev.perigee.bundled.macros;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.Perigee;
import dev.perigee.ServedPerigee;
import dev.perigee.ServedPerigee.Reply;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.plugin.Json;
import dev.perigee.testing.Contract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SqlMacrosTest {
    private static ServedPerigee perigee;

    @BeforeAll
    static void open(@TempDir Path folder) {
        perigee = ServedPerigee.open(folder);
        perigee.query("CREATE TABLE users (id INTEGER, name TEXT, password TEXT, \"odd, one\" TEXT)");
        perigee.query("INSERT INTO users VALUES (1, 'Ann', 'secret', 'x')");
    }

    @AfterAll
    static void close() {
        perigee.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT $_exclude(password) FROM users | id,name,odd, one",
                "select $_EXCLUDE( PASSWORD , \"odd, one\" ) from users where id = 1 | id,name",
                "SELECT $_exclude(password, id), 1 AS one FROM users u WHERE u.name <> '$_exclude(id)' | name,odd, one,one",
                "SELECT $_exclude(password) FROM main.users AS m | id,name,odd, one",
                "SELECT $_exclude(password), o.id AS other FROM users JOIN users o ON o.id = users.id | id,name,odd, one,other",
                "SELECT * FROM (SELECT $_exclude(password) FROM users) | id,name,odd, one",
                "SELECT '$_exclude(id)' AS t FROM users | t",
            })
    @Contract("Kept: $_exclude(…) selects all columns but those")
    void all_columns_but_those_are_selected(String sql, String columns) {
        Reply reply = run(sql);
        List<String> names = new ArrayList<>(reply.result().get(0).propertyNames());
        assertThat(String.join(",", names)).isEqualTo(columns);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT $_exclude(nope) FROM users",
                "SELECT $_exclude(id) FROM nothing",
                "SELECT $_exclude() FROM users",
                "SELECT $_exclude(id",
                "SELECT $_exclude(id, name, password, \"odd, one\") FROM users",
                "SELECT $_exclude(id)"
            })
    void what_means_nothing_is_400_and_says_so(String sql) {
        Reply reply = run(sql);
        assertThat(reply.status()).as(reply.text()).isEqualTo(400);
        assertThat(reply.text()).contains("$_exclude");
    }

    private static Reply run(String sql) {
        return perigee.call(
                ServedPerigee.CLIENT_TOKEN, "POST", "/query", Json.MAPPER.writeValueAsString(Map.of("sql", sql)));
    }

    /// The list has statements as clients send them, and another exclusion is another statement.
    @Test
    void an_allowed_statement_may_have_the_macro_and_allows_its_own_exclusion_only(@TempDir Path folder) {
        try (Perigee listed = Perigee.builder()
                .data(folder)
                .adminToken("admin")
                .clientToken("client")
                .port(0)
                .configure(config -> new PerigeeConfig(
                        config.store(),
                        config.serve(),
                        config.query().with(false, true, false),
                        config.source(),
                        config.replication(),
                        config.bundled()))
                .start()) {
            for (String sql : List.of(
                    "CREATE TABLE users (id INTEGER, name TEXT, password TEXT)",
                    "INSERT INTO users VALUES (1, 'Ann', 'secret')",
                    "INSERT INTO tmp_allowlist_queries (sql_statement, source) VALUES"
                            + " ('SELECT $_exclude(password, id) FROM users WHERE id = 5 AND name <> ''x''', 'internal')")) {
                assertThat(status(listed, "admin", sql)).as(sql).isEqualTo(200);
            }
            String same = "select $_EXCLUDE( password,id )  from users where id=1 and name <> 'y'";
            assertThat(status(listed, "client", same)).isEqualTo(200);
            for (String other : List.of(
                    "SELECT $_exclude(name, id) FROM users WHERE id = 5 AND name <> 'x'",
                    "SELECT $_exclude('name', 'id') FROM users WHERE id = 5 AND name <> 'x'",
                    "SELECT $_exclude(password) FROM users WHERE id = 5 AND name <> 'x'",
                    "SELECT ? FROM users WHERE id = 5 AND name <> 'x'",
                    "SELECT name FROM users WHERE id = 5 AND name <> 'x'")) {
                assertThat(status(listed, "client", other)).as(other).isIn(400, 403);
            }
        }
    }

    private static int status(Perigee to, String token, String sql) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + to.port() + "/query"))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(Json.MAPPER.writeValueAsBytes(Map.of("sql", sql))))
                .build();
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request, BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
