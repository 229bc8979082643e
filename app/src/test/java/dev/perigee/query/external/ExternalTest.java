package dev.perigee.query.external;

import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.fault.Fault;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.Contract;
import dev.perigee.testing.HandSource;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import dev.perigee.testing.TestPostgres;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `X-Starbase-Source: external`: a statement for the database behind us.
class ExternalTest {
    @TempDir
    Path directory;

    private static HttpResponse<String> external(ServedStore served, String path, String body) {
        return served.send(served.request(path, CLIENT)
                .header("Content-Type", "application/json")
                .header("X-Starbase-Source", "external")
                .POST(BodyPublishers.ofString(body))
                .build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"external", "EXTERNAL", " hyperdrive "})
    @Contract("Kept: X-Starbase-Source or ?source= says internal, external or hyperdrive")
    void the_header_leads_to_the_source(String where) {
        HandSource source = new HandSource();
        try (ServedStore served = new ServedStore(directory, Setup.standard().source(source))) {
            HttpResponse<String> answer = served.send(served.request("/query", CLIENT)
                    .header("Content-Type", "application/json")
                    .header("X-Starbase-Source", where)
                    .POST(BodyPublishers.ofString("{\"sql\":\"SELECT $1\",\"params\":[9007199254740993]}"))
                    .build());
            assertThat(answer.body()).isEqualTo("{\"result\":[{\"n\":0,\"text\":\"row\"}]}");
            assertThat(source.sql).isEqualTo("SELECT $1");
            assertThat(source.parameters).containsExactly(new Value.Int(9007199254740993L));
        }
    }

    @Test
    @Contract("Kept: X-Starbase-Source or ?source= says internal, external or hyperdrive")
    void the_query_string_leads_there_too_and_the_header_wins() {
        HandSource source = new HandSource();
        try (ServedStore served = new ServedStore(directory, Setup.standard().source(source))) {
            assertThat(served.post("/query?source=external", CLIENT, "{\"sql\":\"x\"}")
                            .statusCode())
                    .isEqualTo(200);
            HttpResponse<String> internal = served.send(served.request("/query?source=external", CLIENT)
                    .header("Content-Type", "application/json")
                    .header("X-Starbase-Source", "internal")
                    .POST(BodyPublishers.ofString("{\"sql\":\"SELECT 1 AS a\"}"))
                    .build());
            assertThat(internal.body()).isEqualTo("{\"result\":[{\"a\":1}]}");
            assertThat(served.post("/query?source=elsewhere", CLIENT, "{\"sql\":\"SELECT 1\"}")
                            .statusCode())
                    .isEqualTo(400);
            assertThat(source.queries).hasValue(1);
        }
    }

    @Test
    void without_a_source_it_is_400_and_says_how_to_configure_one() {
        try (ServedStore served = new ServedStore(directory)) {
            HttpResponse<String> answer = external(served, "/query", "{\"sql\":\"SELECT 1\"}");
            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(answer.body()).contains("EXTERNAL_DB_URL");
        }
    }

    @Test
    @Contract("Different: a failing external query is its error, 502 or 400")
    void a_source_that_fails_is_502_and_never_an_empty_answer() {
        HandSource source = new HandSource();
        try (ServedStore served = new ServedStore(directory, Setup.standard().source(source))) {
            source.failure = Fault.SOURCE_UNREACHABLE.in("source here", "refused", "Nothing was read");
            assertThat(external(served, "/query", "{\"sql\":\"SELECT 1\"}").statusCode())
                    .isEqualTo(502);
            source.failure = null;
            assertThat(external(served, "/query", "{\"sql\":\"SELECT 1\"}").statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void a_large_external_answer_streams() {
        HandSource source = new HandSource();
        source.rows = 100_000;
        try (ServedStore served = new ServedStore(directory, Setup.standard().source(source))) {
            HttpResponse<String> answer = external(served, "/query/raw", "{\"sql\":\"SELECT\"}");
            assertThat(answer.headers().firstValue("Content-Length")).isEmpty();
            assertThat(answer.body()).endsWith("\"meta\":{\"rows_read\":100000,\"rows_written\":0}}}");
        }
    }

    @Test
    @Contract("Kept: SELECT VERSION() AS v on the external database")
    void a_real_postgresql_answers_with_exact_values_and_its_own_errors() {
        try (TestPostgres postgres = TestPostgres.create();
                PostgresSource source = new PostgresSource(postgres.config());
                ServedStore served = new ServedStore(directory, Setup.standard().source(source))) {
            postgres.execute("CREATE TABLE t (id bigint PRIMARY KEY, name text UNIQUE, n numeric, b bytea)");
            assertThat(external(served, "/query/raw", """
                            {"sql":"INSERT INTO t VALUES ($1, $2, 12345678901234567890.123456789, '\\\\x00ff')","params":[9223372036854775807,"é"]}""").body())
                    .isEqualTo(
                            "{\"result\":{\"columns\":[],\"rows\":[],\"meta\":{\"rows_read\":0,\"rows_written\":1}}}");
            assertThat(external(served, "/query", "{\"sql\":\"SELECT * FROM t WHERE name = ?\",\"params\":[\"é\"]}")
                            .body())
                    .isEqualTo("{\"result\":[{\"id\":9223372036854775807,\"name\":\"é\","
                            + "\"n\":\"12345678901234567890.123456789\",\"b\":\"AP8=\"}]}");
            assertThat(external(served, "/query", "{\"sql\":\"SELECT VERSION() AS v\"}")
                            .body())
                    .contains("PostgreSQL");
            assertThat(external(served, "/query", "{\"sql\":\"SELECT 'NaN'::float8 AS a, 'infinity'::float8 AS b\"}")
                            .body())
                    .isEqualTo("{\"result\":[{\"a\":\"NaN\",\"b\":\"Infinity\"}]}");
            HttpResponse<String> mistake = external(served, "/query", "{\"sql\":\"SELECT * FROM nowhere\"}");
            assertThat(mistake.statusCode()).isEqualTo(400);
            assertThat(mistake.body()).contains("nowhere");
            assertThat(external(served, "/query", "{\"sql\":\"SELECT * FROM t WHERE false\"}")
                            .body())
                    .isEqualTo("{\"result\":[]}");
            assertThat(served.get("/status/database", ServedStore.ADMIN).body()).contains("PostgreSQL 18");
        }
    }
}
