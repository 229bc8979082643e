package dev.perigee.query;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a caller's statement may touch: SQLite's own compiler is asked, so no way of writing it gets around.
class RightsTest {
    private static final String SECRET = "kept-by-perigee-7731";

    @TempDir
    static Path directory;

    static ServedStore served;
    static PluginHost host;

    @BeforeAll
    static void open() {
        served =
                new ServedStore(directory, ServedStore.Setup.standard().plugins(new StarbasePlugin("copies", true, "") {
                    @Override
                    public void register(PluginHost given) {
                        host = given;
                        given.protectTable("copied", "it is a copy");
                    }
                }));
        served.store.write(transaction -> {
            transaction.connection().exec("CREATE TABLE copied (id INTEGER PRIMARY KEY, name TEXT)");
            transaction.connection().exec("INSERT INTO copied VALUES (1, 'a')");
            transaction.connection().exec("CREATE TABLE tmp_secrets (value TEXT)");
            transaction.connection().exec("INSERT INTO tmp_secrets VALUES ('" + SECRET + "')");
            transaction.connection().exec("CREATE TABLE tmp_cron_tasks (value TEXT)");
            transaction.connection().exec("CREATE TABLE mine (id INTEGER PRIMARY KEY, name TEXT)");
            transaction.connection().exec("CREATE TABLE parent (id INTEGER PRIMARY KEY)");
            transaction.connection().exec("CREATE VIEW through AS SELECT * FROM tmp_secrets");
            transaction.connection().exec("CREATE VIEW copied_view AS SELECT * FROM copied");
            transaction
                    .connection()
                    .exec("CREATE TRIGGER through_copied INSTEAD OF INSERT ON copied_view"
                            + " BEGIN INSERT INTO copied VALUES (new.id, new.name); END");
            transaction
                    .connection()
                    .exec("CREATE TRIGGER leaks AFTER INSERT ON parent"
                            + " BEGIN INSERT INTO mine (name) SELECT value FROM tmp_secrets; END");
            return true;
        });
    }

    @AfterAll
    static void close() {
        served.close();
    }

    @Test
    void a_client_reads_copies_and_uses_tables_of_its_own() {
        assertThat(served.run(CLIENT, "SELECT name FROM copied").body()).isEqualTo("{\"result\":[{\"name\":\"a\"}]}");
        assertThat(served.run(CLIENT, "CREATE TABLE own (a UNIQUE, b DEFAULT 1)")
                        .statusCode())
                .isEqualTo(200);
        assertThat(served.run(CLIENT, "CREATE INDEX own_b ON own (b)").statusCode())
                .isEqualTo(200);
        assertThat(served.run(CLIENT, "INSERT INTO own SELECT name, id FROM copied")
                        .statusCode())
                .isEqualTo(200);
        assertThat(served.run(CLIENT, "ALTER TABLE own RENAME TO own2").statusCode())
                .isEqualTo(200);
        assertThat(served.run(CLIENT, "SELECT * FROM own2").body()).isEqualTo("{\"result\":[{\"a\":\"a\",\"b\":1}]}");
        assertThat(served.run(CLIENT, "DROP TABLE own2").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "INSERT INTO copied VALUES (2, 'b')",
                "insert into COPIED values (2, 'b')",
                "INSERT INTO main.\"Copied\" VALUES (2, 'b')",
                "INSERT OR REPLACE INTO [copied] VALUES (1, 'b')",
                "REPLACE INTO copied VALUES (1, 'b')",
                "INSERT INTO copied VALUES (1, 'b') ON CONFLICT DO UPDATE SET name = 'b'",
                "UPDATE copied SET name = 'b'",
                "WITH x AS (SELECT 1) UPDATE copied SET name = (SELECT * FROM x)",
                "UPDATE copied SET name = 'b' FROM mine WHERE mine.id = copied.id RETURNING *",
                "DELETE FROM copied",
                "DELETE FROM copied WHERE id IN (SELECT id FROM copied) RETURNING name",
                "INSERT INTO copied_view VALUES (5, 'e')",
                "DROP TABLE copied",
                "ALTER TABLE copied RENAME TO other",
                "ALTER TABLE copied ADD COLUMN b",
                "ALTER TABLE copied RENAME COLUMN name TO b",
                "ALTER TABLE copied DROP COLUMN name",
                "CREATE INDEX slow ON copied (name)",
                "CREATE UNIQUE INDEX slow ON copied (name)",
                "CREATE TRIGGER t AFTER INSERT ON copied BEGIN SELECT 1; END",
            })
    void a_client_writes_no_copy(String sql) {
        HttpResponse<String> answer = served.run(CLIENT, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(answer.body()).contains("copied").contains("read-only: it is a copy");
        assertThat(served.query("SELECT * FROM copied")).hasToString("{\"result\":[{\"id\":1,\"name\":\"a\"}]}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM tmp_secrets",
                "SELECT count(*) FROM tmp_secrets",
                "SELECT 1 FROM tmp_secrets",
                "SELECT rowid FROM main.[TMP_Secrets]",
                "SELECT * FROM through",
                "SELECT count(*) FROM through",
                "WITH x AS (SELECT * FROM tmp_secrets) SELECT * FROM x",
                "SELECT 1 UNION ALL SELECT value FROM tmp_secrets",
                "SELECT (SELECT value FROM tmp_secrets)",
                "SELECT * FROM mine WHERE EXISTS (SELECT 1 FROM tmp_secrets WHERE value > 'a')",
                "SELECT * FROM mine ORDER BY (SELECT value FROM tmp_secrets)",
                "VALUES ((SELECT value FROM tmp_secrets))",
                "EXPLAIN SELECT * FROM tmp_secrets",
                "CREATE TABLE stolen AS SELECT * FROM tmp_secrets",
                "INSERT INTO mine (name) SELECT value FROM tmp_secrets",
                "INSERT INTO mine (name) VALUES (1) RETURNING (SELECT value FROM tmp_secrets)",
                "UPDATE mine SET name = (SELECT value FROM tmp_secrets)",
                "DELETE FROM mine WHERE name = (SELECT value FROM tmp_secrets)",
                "INSERT INTO parent VALUES (1)",
                "INSERT INTO tmp_secrets VALUES ('x')",
                "INSERT INTO tmp_cron_tasks VALUES ('x')",
                "UPDATE tmp_secrets SET value = ''",
                "DELETE FROM tmp_secrets",
                "DROP TABLE tmp_secrets",
                "ALTER TABLE tmp_secrets RENAME TO open",
                "ALTER TABLE mine RENAME TO tmp_mine",
                "CREATE TABLE tmp_mine (a)",
                "CREATE TABLE IF NOT EXISTS \"tmp_Mine\" (a)",
                "CREATE VIEW tmp_view AS SELECT 1",
                "CREATE INDEX i ON tmp_secrets (value)",
                "CREATE INDEX tmp_i ON mine (name)",
                "CREATE TRIGGER tmp_t AFTER INSERT ON mine BEGIN SELECT 1; END",
                "CREATE TRIGGER t AFTER INSERT ON tmp_secrets BEGIN SELECT 1; END",
            })
    @Contract("Different: clients cannot touch tmp_ tables, ATTACH, PRAGMAs that write, load_extension")
    void a_client_neither_reads_nor_writes_perigee_s_own_tables(String sql) {
        HttpResponse<String> answer = served.run(CLIENT, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(answer.body()).startsWith("{\"error\":").doesNotContain(SECRET);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ATTACH '/tmp/other.db' AS other",
                "ATTACH DATABASE ':memory:' AS other",
                "DETACH main",
                "PRAGMA journal_mode = DELETE",
                "PRAGMA journal_mode(off)",
                "PRAGMA main.journal_mode = wal",
                "PRAGMA synchronous = OFF",
                "PRAGMA writable_schema = ON",
                "PRAGMA query_only = OFF",
                "PRAGMA user_version = 7",
                "PRAGMA wal_checkpoint(TRUNCATE)",
                "PRAGMA optimize",
                "PRAGMA incremental_vacuum",
                "PRAGMA temp_store_directory = '/tmp'",
                "PRAGMA hard_heap_limit = 1",
                "PRAGMA foreign_keys = ON",
                "PRAGMA trusted_schema = 1",
                "PRAGMA database_list",
                "PRAGMA integrity_check",
                "SELECT * FROM pragma_database_list",
                "EXPLAIN PRAGMA journal_mode = DELETE",
                "SELECT load_extension('/tmp/x.so')",
                "SELECT LOAD_EXTENSION('/tmp/x.so', 'y')",
                "CREATE VIRTUAL TABLE v USING fts5(a)",
                "ANALYZE",
                "ANALYZE copied",
            })
    @Contract("Different: clients cannot touch tmp_ tables, ATTACH, PRAGMAs that write, load_extension")
    void a_client_reaches_nothing_beside_its_tables(String sql) {
        HttpResponse<String> answer = served.run(CLIENT, sql);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "VACUUM",
                "VACUUM INTO '/tmp/perigee-test-stolen.db'",
                "BEGIN",
                "BEGIN EXCLUSIVE",
                "COMMIT",
                "END",
                "ROLLBACK",
                "SAVEPOINT a",
                "RELEASE a",
                "ROLLBACK TO a",
                "CREATE TEMP TABLE x (a)",
                "CREATE TEMP VIEW copied AS SELECT 1",
                "CREATE TEMP TRIGGER x AFTER INSERT ON copied BEGIN SELECT 1; END",
                "CREATE TABLE temp.x (a)",
                "CREATE TABLE temp.mine AS SELECT * FROM mine",
                "CREATE VIEW temp.mine AS SELECT 1",
                "CREATE TRIGGER temp.t AFTER INSERT ON main.mine BEGIN SELECT 1; END",
                "CREATE VIRTUAL TABLE temp.mine USING fts5(a)",
                "SELECT * FROM pragma_journal_mode('delete')",
                "DELETE FROM sqlite_schema",
                "UPDATE sqlite_master SET sql = ''",
                "INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)",
                "DROP TABLE sqlite_schema",
                "SELECT * FROM sqlite_dbpage",
                "UPDATE sqlite_dbpage SET data = NULL",
                "SELECT * FROM dbstat",
                "SELECT * FROM sqlite_stmt",
                "SELECT * FROM bytecode('SELECT 1')",
                "SELECT readfile('/etc/passwd')",
                "SELECT writefile('/tmp/x', 'y')",
                "SELECT sqlite_rename_table(1,2,3,4,5,6,7)",
                "SELECT fts3_tokenizer('x')",
            })
    void neither_role_reaches_what_would_break_the_store_or_leave_it(String sql) throws Exception {
        for (String token : new String[] {CLIENT, ADMIN}) {
            HttpResponse<String> answer = served.run(token, sql);
            assertThat(answer.statusCode()).as(answer.body()).isIn(400, 403);
        }
        assertThat(Files.exists(Path.of("/tmp/perigee-test-stolen.db"))).isFalse();
        assertThat(served.raw("INSERT INTO mine (name) VALUES ('after') RETURNING name")
                        .at("/result/rows/0/0")
                        .asString())
                .isEqualTo("after");
    }

    @Test
    void a_transaction_gives_no_more_rights_than_its_statements() {
        HttpResponse<String> answer = served.post(
                "/query",
                CLIENT,
                "{\"transaction\":[{\"sql\":\"INSERT INTO mine (name) VALUES ('t')\"},{\"sql\":\"DELETE FROM copied\"}]}");
        assertThat(answer.statusCode()).isEqualTo(403);
        assertThat(answer.body()).contains("Statement 2 of 2", "read-only");
        assertThat(served.query("SELECT count(*) AS c FROM mine WHERE name = 't'")
                        .at("/result/0/c")
                        .asInt())
                .isZero();
    }

    @Test
    void what_an_admin_may_prepare_is_not_lent_to_a_client() {
        String sql = "SELECT value FROM tmp_secrets WHERE 1";
        for (int i = 0; i < 8; i++) {
            assertThat(served.run(ADMIN, sql).body()).contains(SECRET);
            assertThat(served.run(CLIENT, sql).statusCode()).isEqualTo(403);
        }
    }

    @Test
    void a_client_s_trigger_does_not_borrow_an_admin_s_rights() {
        HttpResponse<String> answer = served.run(ADMIN, "INSERT INTO parent VALUES (9)");
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(403);
        assertThat(served.query("SELECT * FROM mine WHERE name = '" + SECRET + "'"))
                .hasToString("{\"result\":[]}");
        assertThat(served.run(ADMIN, "INSERT INTO copied_view VALUES (5, 'e')").statusCode())
                .isEqualTo(403);
    }

    @Test
    void an_admin_reads_perigee_s_tables_and_fills_those_meant_for_it() {
        assertThat(served.run(ADMIN, "SELECT * FROM tmp_secrets").body()).contains(SECRET);
        assertThat(served.run(ADMIN, "SELECT * FROM through").body()).contains(SECRET);
        assertThat(served.run(ADMIN, "WITH x AS (SELECT * FROM tmp_secrets) SELECT * FROM x")
                        .body())
                .contains(SECRET);
        assertThat(served.run(ADMIN, "INSERT INTO tmp_cron_tasks VALUES ('x')").statusCode())
                .isEqualTo(200);
        assertThat(served.run(ADMIN, "DELETE FROM tmp_secrets").statusCode()).isEqualTo(403);
        assertThat(served.run(ADMIN, "CREATE TABLE tmp_new (a)").statusCode()).isEqualTo(403);
        assertThat(served.run(ADMIN, "ALTER TABLE parent RENAME TO tmp_parent").statusCode())
                .isEqualTo(403);
        assertThat(served.run(ADMIN, "DROP TABLE copied").statusCode()).isEqualTo(403);
        assertThat(served.run(ADMIN, "PRAGMA integrity_check").body()).contains("ok");
        assertThat(served.run(ADMIN, "CREATE VIRTUAL TABLE words USING fts5(a)").statusCode())
                .isEqualTo(200);
        assertThat(served.run(ADMIN, "CREATE INDEX fast ON copied (name)").statusCode())
                .isEqualTo(200);
        assertThat(served.run(ADMIN, "DROP INDEX fast").statusCode()).isEqualTo(200);
    }

    @Test
    void protection_that_is_given_up_or_added_counts_for_statements_prepared_before() {
        served.query("CREATE TABLE later (a)");
        String sql = "INSERT INTO later VALUES (1)";
        int often = 4 * served.store.callerReaders(); // So that each connection has it prepared.
        for (int i = 0; i < often; i++) {
            assertThat(served.run(CLIENT, sql).statusCode()).isEqualTo(200);
        }
        host.protectTable("LATER", "it became a copy");
        for (int i = 0; i < often; i++) {
            assertThat(served.run(CLIENT, sql).body()).contains("it became a copy");
        }
        host.unprotectTable("later");
        assertThat(served.run(CLIENT, sql).statusCode()).isEqualTo(200);
    }

    @Test
    void a_value_larger_than_the_limit_is_413_before_it_takes_memory() {
        for (String sql : new String[] {
            "SELECT randomblob(900000000)", "SELECT hex(zeroblob(400000000))",
        }) {
            HttpResponse<String> answer = served.run(CLIENT, sql);
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(413);
        }
        assertThat(served.run(CLIENT, "SELECT length(hex(zeroblob(1000))) AS n").statusCode())
                .isEqualTo(200);
    }
}
