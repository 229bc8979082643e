package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.replication.state.Problem;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Copies of tables of which policies at the source show the source's user 50 rows of 100.
class RowVisibilityCheckTest {
    @TempDir
    Path folder;

    private TestPostgres postgres;
    private String role;
    private Source source;
    private TestHost host;

    @BeforeEach
    void start() {
        postgres = TestPostgres.create();
        role = postgres.database();
        postgres.execute("""
                CREATE ROLE %1$s LOGIN PASSWORD 'x';
                CREATE TABLE t (id int PRIMARY KEY, owner text NOT NULL);
                CREATE TABLE plain (id int PRIMARY KEY);
                INSERT INTO plain SELECT generate_series(1, 10);
                INSERT INTO t SELECT i, CASE WHEN i %% 2 = 0 THEN '%1$s' ELSE 'somebody' END FROM generate_series(1, 100) i;
                ALTER TABLE t ENABLE ROW LEVEL SECURITY;
                CREATE POLICY own ON t USING (owner = current_user);
                GRANT SELECT ON t, plain TO %1$s""".formatted(role));
        source = new PostgresSource(postgres.configAs(role));
        host = TestHost.idle(folder, source);
    }

    @AfterEach
    void stop() {
        host.close();
        source.close();
        postgres.execute("DROP OWNED BY %1$s CASCADE; DROP ROLE %1$s".formatted(role));
        postgres.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "'mode':'xmin' | complete of what | complete of what",
                "'mode':'full' | complete of what |",
                "'cursorColumn':'id' | settled(10s) of what | verified(",
            })
    void the_rows_that_the_user_sees_are_copied_and_no_more_is_promised(
            String fields, String synced, @Nullable String verified) {
        add("t", "'rowSecurity':'filtered'," + fields);
        assertThat(sync()).isEmpty();
        assertThat(rows()).isEqualTo(50);
        assertThat(guarantee()).isEqualTo("%s %s sees".formatted(synced, role));
        assertThat(status().get("notes").toString()).contains("row-level security may hide rows from " + role);
        if (verified == null) return;
        JsonNode proof = host.post("/tables/t/verify", "").result();
        assertThat(proof.at("/proof/verdict").asString()).isEqualTo("equal");
        assertThat(guarantee()).startsWith(verified).endsWith(" of what %s sees".formatted(role));
    }

    @Test
    void unless_it_is_asked_for_the_table_is_refused_with_what_would_show_all_its_rows() {
        TestHost.Reply refused =
                host.post("/tables", "{'tables':[{'name':'plain','mode':'xmin'},{'name':'t','mode':'xmin'}]}");
        assertThat(refused.status()).isEqualTo(502);
        assertThat(refused.error())
                .startsWith("SOURCE_ROWS_HIDDEN in table t: row-level security hides rows from " + role)
                .contains("Nothing was changed", "ALTER ROLE \"%s\" BYPASSRLS".formatted(role))
                .contains("`--row-security filtered`");
        assertThat(host.get("/tables").result().get("tables").isEmpty()).isTrue();
        postgres.execute("ALTER ROLE %s BYPASSRLS".formatted(role));
        add("t", "'mode':'xmin'");
        assertThat(sync()).isEmpty();
        assertThat(rows()).isEqualTo(100);
    }

    @Test
    void a_table_whose_rows_are_hidden_later_is_not_read_and_the_choice_is_named() {
        postgres.execute("ALTER TABLE t DISABLE ROW LEVEL SECURITY");
        add("t", "'mode':'xmin'");
        postgres.execute("ALTER TABLE t ENABLE ROW LEVEL SECURITY; INSERT INTO t VALUES (101, '%s')".formatted(role));
        assertThat(sync()).isEqualTo("SOURCE_ROWS_HIDDEN");
        assertThat(status().at("/lastError/remedy").asString()).contains("BYPASSRLS", "`rowSecurity` `filtered`");
        assertThat(host.value("SELECT count(*) FROM t WHERE id = 101")).isEqualTo("0");
        host.call("PATCH", "/tables/t", "{'interval':'2h'}").result();
    }

    @ParameterizedTest
    @ValueSource(strings = {"'mode':'xmin'", "'cursorColumn':'id'"})
    void rows_that_leave_the_users_sight_wait_for_a_word_in_a_sweep_and_in_a_backfill(String fields) {
        add("t", "'rowSecurity':'filtered','deletes':'sweep(1h)'," + fields);
        assertThat(sync()).isEmpty();
        postgres.execute("ALTER POLICY own ON t USING (owner = 'nobody')");
        assertThat(sync()).isEmpty();
        JsonNode sweep = sweep("");
        assertThat(sweep.get("verdict").asString()).isEqualTo("unconfirmed");
        assertThat(sweep.get("awaiting").asLong()).isEqualTo(50);
        JsonNode backfill = host.post("/tables/t/backfill", "{}").result();
        assertThat(backfill.at("/backfill/error/fault").asString()).isEqualTo("MASS_DELETE");
        assertThat(rows()).isEqualTo(50);
        assertThat(sweep("{'confirm':true}").get("deleted").asLong()).isEqualTo(50);
    }

    @Test
    void rows_that_leave_the_users_sight_wait_for_a_word_where_all_are_fetched_each_time() {
        add("t", "'rowSecurity':'filtered','mode':'full'");
        assertThat(sync()).isEmpty();
        // As many rows come into sight as leave it.
        postgres.execute("ALTER POLICY own ON t USING (owner = 'somebody')");
        assertThat(sync()).isEqualTo("MASS_DELETE");
        assertThat(status().at("/lastError/remedy").asString()).contains("perigee tables resync t");
        assertThat(guarantee()).isEqualTo("behind");
        assertThat(host.value("SELECT count(*) FROM t WHERE owner = '%s'".formatted(role)))
                .isEqualTo("50");
        host.post("/tables/t/resync", "").result();
        assertThat(host.value("SELECT count(*) FROM t WHERE owner = 'somebody'"))
                .isEqualTo("50");
        postgres.execute("DELETE FROM t WHERE id = 1");
        assertThat(sync()).isEmpty();
        assertThat(rows()).isEqualTo(49);
    }

    /// Nobody writes them, so neither their cursors nor their transactions are new.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "ALTER POLICY own ON t USING (true) | t | 'mode':'xmin'",
                "ALTER POLICY own ON t USING (true) | t | 'cursorColumn':'id'",
                "ALTER POLICY own ON t USING (true) | t | 'cursorColumn':'id','group':'g'",
                "ALTER POLICY own ON t USING (true) | seen | 'cursorColumn':'id','key':['id']",
                "GRANT %1$s_seer TO %1$s | t | 'mode':'xmin'",
                "GRANT %1$s_seer TO %1$s | seen | 'cursorColumn':'id','key':['id']",
                "ALTER ROLE %1$s BYPASSRLS | t | 'mode':'xmin'",
                "ALTER TABLE t DISABLE ROW LEVEL SECURITY | t | 'cursorColumn':'id'",
                "ALTER ROLE %1$s SET app.everything = 'yes' | t | 'mode':'xmin'",
                "CREATE OR REPLACE FUNCTION may() RETURNS boolean LANGUAGE sql AS 'SELECT true' | t | 'cursorColumn':'id'",
            })
    void rows_that_come_into_the_users_sight_come_with_the_next_sync(String change, String table, String fields) {
        postgres.execute("""
                CREATE FUNCTION may() RETURNS boolean LANGUAGE sql STABLE AS
                    $$SELECT coalesce(current_setting('app.everything', true), '') = 'yes'$$;
                CREATE ROLE %1$s_seer; CREATE POLICY seers ON t TO %1$s_seer USING (true);
                CREATE POLICY more ON t USING (may());
                CREATE VIEW seen WITH (security_invoker) AS SELECT * FROM t; GRANT SELECT ON seen TO %1$s""".formatted(role));
        try {
            add(table, "'rowSecurity':'filtered'," + fields);
            assertThat(sync(table)).isEmpty();
            postgres.execute("CREATE POLICY writers ON t FOR INSERT WITH CHECK (true); ANALYZE t");
            assertThat(sync(table)).isEmpty();
            assertThat(host.value("SELECT count(*) FROM " + table)).isEqualTo("50");
            assertThat(note()).as("who may write is nothing to it").isEqualTo("null");
            String guarantee = guarantee(table);

            postgres.execute(change.formatted(role));
            reopen(); // a role's settings count for sessions that begin after them
            assertThat(sync(table)).isEmpty();
            assertThat(host.value("SELECT count(*) FROM " + table)).isEqualTo("100");
            assertThat(guarantee(table)).isEqualTo(guarantee);
            assertThat(note()).contains("which rows the source's user sees, such as a policy");
            assertThat(sync(table)).isEmpty();
            assertThat(note()).as("once").isEqualTo("null");
        } finally {
            host.close();
            postgres.execute("DROP OWNED BY %1$s_seer; DROP ROLE %1$s_seer".formatted(role));
            host = TestHost.idle(folder, source);
        }
    }

    @Test
    void a_copy_of_some_rows_that_is_to_be_whole_stays_until_all_can_be_read_and_then_has_all() {
        // Paused: a changed table is due at once, and its sync could come while all rows can be read.
        add("t", "'rowSecurity':'filtered','mode':'xmin','paused':true");
        assertThat(sync()).isEmpty();
        assertThat(host.call("PATCH", "/tables/t", "{'rowSecurity':'refused'}").error())
                .startsWith("SOURCE_ROWS_HIDDEN");
        postgres.execute("ALTER ROLE %s BYPASSRLS".formatted(role));
        change("refused");
        postgres.execute("ALTER ROLE %s NOBYPASSRLS".formatted(role));
        assertThat(sync()).isEqualTo("SOURCE_ROWS_HIDDEN");
        assertThat(rows()).isEqualTo(50);
        assertThat(guarantee()).isEqualTo("behind");
        postgres.execute("ALTER ROLE %s BYPASSRLS".formatted(role));
        assertThat(sync()).isEmpty();
        assertThat(rows()).isEqualTo(100);
        assertThat(guarantee()).isEqualTo("complete");
    }

    @Test
    void a_whole_copy_that_is_to_be_of_some_rows_loses_none_without_a_word() {
        postgres.execute("ALTER ROLE %s BYPASSRLS".formatted(role));
        add("t", "'deletes':'sweep(1h)','mode':'xmin'");
        assertThat(sync()).isEmpty();
        postgres.execute("ALTER ROLE %s NOBYPASSRLS; DROP POLICY own ON t".formatted(role));
        change("filtered");
        assertThat(sync()).isEmpty();
        assertThat(guarantee()).isEqualTo("complete of what %s sees".formatted(role));
        assertThat(sweep("").get("awaiting").asLong()).isEqualTo(100);
        assertThat(rows()).isEqualTo(100);
    }

    @Test
    void tables_of_one_group_are_each_read_as_they_say() {
        add("t", "'rowSecurity':'filtered','mode':'xmin','group':'g'");
        add("plain", "'mode':'xmin','group':'g'");
        // One that began when only the first was there is not of both.
        host.plugin.syncAllTables().join();
        host.plugin.syncAllTables().join();
        assertThat(rows()).isEqualTo(50);
        assertThat(host.value("SELECT count(*) FROM plain")).isEqualTo("10");
        assertThat(host.get("/status/plain").result().get("guarantee").asString())
                .isEqualTo("complete");
        postgres.execute(
                "ALTER TABLE plain ENABLE ROW LEVEL SECURITY; INSERT INTO t VALUES (200, '%s')".formatted(role));
        assertThat(sync()).isEqualTo("SOURCE_ROWS_HIDDEN");
        assertThat(rows()).isEqualTo(50);
    }

    private void add(String table, String fields) {
        host.post("/tables", "{'name':'%s',%s}".formatted(table, fields)).result();
    }

    private void change(String rowSecurity) {
        host.call("PATCH", "/tables/t", "{'rowSecurity':'%s'}".formatted(rowSecurity))
                .result();
    }

    /// @return the fault; empty for none
    private String sync() {
        return sync("t");
    }

    private String sync(String table) {
        return host.plugin.syncTable(table).join().error().map(Problem::fault).orElse("");
    }

    private String note() {
        return host.value("SELECT note FROM tmp_replication_runs ORDER BY id DESC LIMIT 1");
    }

    private void reopen() {
        host.close();
        source.close();
        source = new PostgresSource(postgres.configAs(role));
        host = TestHost.idle(folder, source);
    }

    private JsonNode sweep(String body) {
        return host.post("/tables/t/sweep", body).result().get("sweep");
    }

    private JsonNode status() {
        return host.get("/status/t").result();
    }

    private String guarantee() {
        return guarantee("t");
    }

    private String guarantee(String table) {
        return host.get("/status/" + table).result().get("guarantee").asString();
    }

    private long rows() {
        return Long.parseLong(host.value("SELECT count(*) FROM t"));
    }
}
