package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.Json;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/// What `perigee doctor` says of a real server, before anything is copied.
class DoctorCommandTest {
    @TempDir
    private Path dir;

    private TestPostgres postgres;
    private String role;
    private final Cli cli = new Cli(Map.of());

    @BeforeEach
    void shop() {
        postgres = TestPostgres.create();
        role = postgres.database();
        postgres.execute("""
                CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
                    $$BEGIN NEW.updated_at := now(); RETURN NEW; END$$;
                CREATE TABLE orders (id int PRIMARY KEY, updated_at timestamptz NOT NULL);
                CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
                CREATE INDEX orders_updated ON orders (updated_at);
                CREATE TABLE customers (id int PRIMARY KEY, updated_at timestamptz DEFAULT now());
                CREATE TABLE log (line text);
                CREATE SCHEMA sales; CREATE TABLE sales.items (id int UNIQUE, n int);
                CREATE ROLE %1$s LOGIN PASSWORD 'secret-of-the-test'; GRANT pg_read_all_stats TO %1$s;
                GRANT USAGE ON SCHEMA sales TO %1$s;
                GRANT SELECT ON ALL TABLES IN SCHEMA public, sales TO %1$s""".formatted(role));
    }

    @AfterEach
    void close() {
        postgres.execute("DROP OWNED BY %1$s CASCADE; DROP ROLE %1$s".formatted(role));
        postgres.close();
    }

    @Test
    void each_table_has_its_mode_its_guarantee_and_the_statement_for_more() {
        Cli.Ended ended = cli.run("doctor", url());

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out())
                .startsWith("PostgreSQL ")
                .contains(", read as " + role, "copies can be `complete`")
                .containsPattern("public.orders +\\S+ +by updated_at +complete\n")
                .containsPattern("public.customers +\\S+ +by updated_at +settled\\(10s\\)\n")
                .containsPattern("public.log +\\S+ +in mode full +complete\n")
                .contains("CREATE INDEX CONCURRENTLY ON \"public\".\"customers\" (\"updated_at\");")
                .contains(
                        "ALTER TABLE \"public\".\"log\" ADD COLUMN \"id\" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;")
                .contains("ALTER TABLE \"sales\".\"items\" ALTER COLUMN \"id\" SET NOT NULL;")
                .endsWith("Nothing would be copied wrongly.\n")
                .doesNotContain("secret-of-the-test");
        assertThat(dir).isEmptyDirectory();
    }

    /// What is proposed is what comes true, and what `sync` takes by itself.
    @Test
    void the_statements_bring_what_they_promise() {
        JsonNode before = json();
        // A key that is added brings a sequence, which may be granted next.
        for (int round = 1; round <= 2; round++) {
            for (JsonNode table : json().get("tables")) {
                for (JsonNode obstacle : table.get("obstacles")) {
                    for (JsonNode statement : obstacle.get("statements")) {
                        for (String part : statement.asString().split("; (?=CREATE TRIGGER)")) postgres.execute(part);
                    }
                }
            }
        }
        JsonNode after = json();
        assertThat(after.get("tables").size()).isEqualTo(before.get("tables").size());
        for (JsonNode table : after.get("tables")) {
            assertThat(table.get("obstacles").isEmpty()).as(table.toString()).isTrue();
            assertThat(table.get("guarantee").asString()).isEqualTo("complete");
            assertThat(table.get("mode").asString()).isNotEqualTo("full");
        }
        String to = dir.resolve("copy.db").toString();
        JsonNode synced = Json.MAPPER.readTree(
                cli.run("sync", "--from", url(), "--to", to, "--all", "--json").out());
        assertThat(synced.get("results").size()).isEqualTo(after.get("tables").size());
        for (JsonNode table : Json.MAPPER
                .readTree(cli.run("sync", "--from", url(), "--to", to, "--json").out())
                .get("tables")) {
            assertThat(after.get("tables").valueStream())
                    .anyMatch(one -> one.get("table").equals(table.get("table"))
                            && one.get("reason").equals(table.get("reason"))
                            && one.get("mode").equals(table.get("mode")));
        }
    }

    @Test
    void rows_that_are_hidden_make_it_fail_with_the_statement_that_shows_them() {
        postgres.execute("""
                CREATE ROLE %1$s_owner; ALTER TABLE orders OWNER TO %1$s_owner;
                ALTER TABLE orders ENABLE ROW LEVEL SECURITY""".formatted(role));
        Cli.Ended ended = cli.run("doctor", url());
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.out())
                .containsPattern("public.orders +\\S+ +by updated_at +WRONG\n")
                .contains(
                        "  wrong: row-level security hides rows from " + role,
                        "; `rowSecurity: filtered` copies only the rows that")
                .contains("      ALTER ROLE \"%s\" BYPASSRLS;\n   or GRANT \"%1$s_owner\" TO \"%1$s\";".formatted(role))
                .endsWith("1 of 4 tables would be copied wrongly, or cannot be copied.\n");
        assertThat(cli.run("doctor", url(), "--schema", "sales").exitCode()).isZero();
        postgres.execute("ALTER ROLE %s BYPASSRLS".formatted(role));
        assertThat(cli.run("doctor", url()).exitCode()).isZero();
        postgres.execute("DROP OWNED BY %1$s_owner CASCADE; DROP ROLE %1$s_owner".formatted(role));
    }

    @Test
    void tables_can_be_named_and_those_that_are_not_to_be_had_say_why() {
        postgres.execute("CREATE TABLE hidden (id int PRIMARY KEY)");
        Cli.Ended some = cli.run("doctor", url(), "--table", "orders,sales.items", "--table", "log");
        assertThat(some.exitCode()).as(some.err()).isZero();
        assertThat(some.out())
                .contains("public.orders", "sales.items", "public.log")
                .doesNotContain("public.customers");

        Cli.Ended ended = cli.run("doctor", url(), "--table", "hidden,ordrs,orders");
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.out())
                .contains("GRANT SELECT ON \"public\".\"hidden\" TO \"%s\"".formatted(role))
                .contains("did you mean public.orders?")
                .containsPattern("public.orders +\\S+ +by updated_at +complete\n")
                .contains("2 of 3 tables");
        JsonNode json = Json.MAPPER.readTree(
                cli.run("doctor", url(), "--table", "hidden", "--json").out());
        assertThat(json.get("success").asBoolean()).isFalse();
        assertThat(json.at("/tables/0/error/fault").asString()).isEqualTo("SOURCE_PERMISSION");

        Cli.Ended nothing = cli.run("doctor", url(), "--schema", "nowhere");
        assertThat(nothing.exitCode()).isEqualTo(1);
        assertThat(nothing.err()).contains("there is no table in schema nowhere that " + role + " may read");
    }

    @Test
    void a_role_that_sees_little_gets_less_and_is_told_why() {
        postgres.execute("REVOKE pg_read_all_stats FROM " + role);
        Cli.Ended ended = cli.run("doctor", url());
        assertThat(ended.exitCode()).isZero();
        assertThat(ended.out())
                .contains("  weaker: ", "      GRANT pg_read_all_stats TO \"%s\";".formatted(role))
                .containsPattern("public.orders +\\S+ +by updated_at +settled\\(10s\\)\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu) | it is CockroachDB",
                "PostgreSQL 11.2-YB-2.20.1.0-b0 on x86_64-pc-linux-gnu | it is YugabyteDB",
                "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.63205 | it is Amazon Redshift",
                "PostgreSQL 12.12 (Greenplum Database 7.1.0) on x86_64-pc-linux-gnu | it is Greenplum",
                "PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.100.0) | it is Materialize",
            })
    void other_products_are_refused_by_name(String version, String said) {
        postgres.execute("""
                ALTER FUNCTION pg_catalog.version() RENAME TO real_version;
                CREATE FUNCTION pg_catalog.version() RETURNS text LANGUAGE sql AS $$ SELECT '%s' $$""".formatted(version));
        for (String[] command : new String[][] {
            {"doctor", url()},
            {"sync", "--from", url(), "--to", dir.resolve("x.db").toString(), "--all"}
        }) {
            Cli.Ended ended = cli.run(command);
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.out()).isEmpty();
            assertThat(ended.err())
                    .startsWith("perigee: SOURCE_UNSUPPORTED in postgresql://")
                    .contains(said, "use PostgreSQL 13 or newer")
                    .doesNotContain("secret-of-the-test", "\tat ");
        }
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void a_source_that_cannot_be_reached_is_said_so_without_the_password() throws IOException {
        int port;
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = taken.getLocalPort();
        }
        Cli.Ended gone = cli.run("doctor", "postgres://me:pass-word@127.0.0.1:%d/shop".formatted(port));
        assertThat(gone.exitCode()).isEqualTo(1);
        assertThat(gone.err())
                .startsWith("perigee: SOURCE_UNREACHABLE in postgresql://127.0.0.1:%d/shop".formatted(port))
                .doesNotContain("pass-word", "\tat ");
        assertThat(cli.run("doctor", url().replace("/" + role, "/no_such_database"))
                        .err())
                .startsWith("perigee: SOURCE_")
                .contains("no_such_database");
        assertThat(cli.run("doctor").exitCode()).isEqualTo(2);
        assertThat(cli.run("doctor", "mysql://x/y").exitCode()).isEqualTo(2);
        assertThat(new Cli(Map.of("EXTERNAL_DB_URL", url())).run("doctor").exitCode())
                .isZero();
    }

    private JsonNode json() {
        Cli.Ended ended = cli.run("doctor", url(), "--json");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        JsonNode answer = Json.MAPPER.readTree(ended.out());
        assertThat(answer.get("success").asBoolean()).isTrue();
        assertThat(answer.at("/source/user").asString()).isEqualTo(role);
        return answer;
    }

    private String url() {
        return "postgres://%s:secret-of-the-test@127.0.0.1:%d/%s".formatted(role, postgres.port(), postgres.database());
    }
}
