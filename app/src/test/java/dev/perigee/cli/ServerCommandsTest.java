package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.Perigee;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PerigeeConfigReader;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// `status`, `tables` and `query` against a real server with a real source.
class ServerCommandsTest {
    @TempDir
    private static Path dir;

    private static TestPostgres postgres;
    private static Perigee perigee;
    private static Cli cli;

    @BeforeAll
    static void open() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE orders (id bigint PRIMARY KEY, note text, updated_at timestamptz NOT NULL);
                INSERT INTO orders SELECT i, 'note ' || i, now() FROM generate_series(1, 30) i;
                CREATE TABLE "Odd name/?" (id int PRIMARY KEY)""");
        perigee = Perigee.open(new PerigeeConfig(
                StoreConfig.of(dir),
                ServeConfig.of(0, "admin-token"),
                QueryConfig.defaults(),
                Optional.of(postgres.config()),
                ReplicationConfig.defaults()));
        cli = with("admin-token");
    }

    @AfterAll
    static void close() {
        perigee.close();
        postgres.close();
    }

    @BeforeEach
    void nothingIsReplicated() {
        for (String table : new String[] {"orders", "\"Odd name/?\""}) {
            cli.run("tables", "remove", table, "--drop");
            // One that was removed without its copy left the copy behind.
            cli.run("query", "DROP TABLE IF EXISTS " + table);
        }
    }

    @Test
    void a_script_waits_until_a_copy_is_fresh_and_reads_it() {
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "1h");
        postgres.execute("INSERT INTO orders VALUES (77, 'new', now())");
        assertThat(cli.run("wait", "--max-staleness", "0s", "--table", "orders").out())
                .startsWith("orders: as of 20");
        assertThat(cli.run("query", "--csv", "SELECT note FROM orders WHERE id = 77")
                        .out())
                .contains("new");
        postgres.execute("UPDATE orders SET note = 'newer', updated_at = clock_timestamp() WHERE id = 77");
        assertThat(cli.run("query", "--csv", "--max-staleness", "0s", "SELECT note FROM orders WHERE id = 77")
                        .out())
                .contains("newer");
        assertThat(cli.run("wait", "--after", "x:0:999999999", "--timeout", "100ms")
                        .exitCode())
                .isEqualTo(4);
        assertThat(cli.run("wait").exitCode()).isEqualTo(2);
        assertThat(cli.run("wait", "--max-staleness", "0s", "--timeout", "10m").exitCode())
                .isEqualTo(2);
        assertThat(cli.run("wait", "--after", "nonsense").exitCode()).isEqualTo(1);
        postgres.execute("DELETE FROM orders WHERE id = 77");
    }

    @Test
    void a_table_is_added_synced_paused_and_removed() {
        assertThat(cli.run("tables").out()).isEqualTo("table  cursor  schedule  paused\n");

        assertThat(cli.run(
                        "tables",
                        "add",
                        "orders",
                        "--cursor",
                        "updated_at",
                        "--interval",
                        "2h",
                        "--columns",
                        "id,note,updated_at",
                        "--page-rows",
                        "7"))
                .isEqualTo(new Cli.Ended(0, "orders: added\n", ""));
        assertThat(cli.run("tables", "sync", "orders").exitCode()).isZero();
        assertThat(cli.run("tables", "pause", "orders").out()).isEqualTo("orders: paused\n");
        assertThat(cli.run("tables", "list").out()).containsPattern("orders +updated_at +every 7200000 ms +yes");
        assertThat(cli.run("tables", "resume", "orders").exitCode()).isZero();
        assertThat(cli.run("tables", "--json").out())
                .startsWith("{\"tables\":[{\"name\":\"orders\"")
                .contains("\"paused\":false", "\"pageRows\":7");
        assertThat(cli.run("query", "SELECT count(*) AS n FROM orders", "--csv").out())
                .isEqualTo("n\r\n30\r\n");

        assertThat(cli.run("tables", "remove", "orders").out()).isEqualTo("orders: removed\n");
        assertThat(cli.run("query", "SELECT count(*) FROM orders").exitCode())
                .as("the rows stay")
                .isZero();
    }

    @Test
    void one_setting_is_changed_and_the_others_stay() {
        cli.run(
                "tables",
                "add",
                "orders",
                "--cursor",
                "updated_at",
                "--interval",
                "2h",
                "--exclude",
                "note",
                "--pause");
        assertThat(cli.run("tables", "set", "orders", "--verify-every", "24h", "--indexes"))
                .isEqualTo(new Cli.Ended(0, "orders: changed\n", ""));
        assertThat(cli.run("tables", "add", "orders", "--page-rows", "7").err()).isEmpty();
        assertThat(cli.run("tables", "--json").out())
                .contains("\"cursorColumn\":\"updated_at\",\"intervalMs\":7200000", "\"exclude\":[\"note\"]")
                .contains("\"pageRows\":7", "\"indexes\":true", "\"verify\":\"1d\"", "\"paused\":true");

        assertThat(cli.run("tables", "set", "orders", "--unset", "verify-every,exclude", "--no-indexes")
                        .exitCode())
                .isZero();
        assertThat(cli.run("tables", "--json").out())
                .contains("\"exclude\":[]", "\"indexes\":false", "\"pageRows\":7")
                .doesNotContain("verify");
        assertThat(cli.run("tables", "set", "orders").exitCode()).isEqualTo(2);
        assertThat(cli.run("tables", "set", "orders", "--unset", "name").exitCode())
                .isEqualTo(2);
        assertThat(cli.run("tables", "set", "orders", "--interval", "soon").err())
                .contains("`interval`: expected a duration");
        assertThat(cli.run("tables", "set", "nothing", "--interval", "1h").err())
                .startsWith("perigee: NOT_FOUND");
    }

    @Test
    void a_copy_whose_replication_was_ended_is_taken_again() {
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "2h");
        cli.run("tables", "sync", "orders");
        cli.run("tables", "remove", "orders");
        cli.run("query", "DELETE FROM orders WHERE id > 10");
        cli.run("query", "CREATE INDEX mine ON orders (note)");
        assertThat(cli.run("tables", "add", "orders", "--cursor", "updated_at")).satisfies(refused -> {
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.err()).startsWith("perigee: CONFLICT").contains("To fix:", "--adopt");
        });
        assertThat(cli.run("tables", "add", "orders", "--cursor", "updated_at", "--adopt")
                        .exitCode())
                .isZero();
        assertThat(cli.run("tables", "sync", "orders").exitCode()).isZero();
        assertThat(cli.run("verify", "--table", "orders").out()).startsWith("orders: equal, 30 rows");
        assertThat(cli.run("query", "SELECT count(*) FROM pragma_index_list('orders') WHERE name = 'mine'", "--csv")
                        .out())
                .endsWith("\r\n1\r\n");
        assertThat(cli.run("query", "DROP TABLE orders").err())
                .contains("read-only", "to drop the copy: `perigee tables remove --drop orders`");
    }

    @Test
    void tables_are_fetched_again_and_recovered_with_their_progress_at_a_terminal() {
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "2h");
        cli.run("tables", "sync", "orders");
        for (String how : new String[] {"resync", "recover"}) {
            assertThat(with("admin-token").typing("").run("tables", how, "orders"))
                    .satisfies(ended -> {
                        assertThat(ended.exitCode()).isZero();
                        assertThat(ended.out()).startsWith("orders: 0 new, 0 changed, 0 deleted");
                    });
            inReplica("INSERT INTO orders SELECT id + 100, note, updated_at FROM orders WHERE id <= 3");
            assertThat(cli.run("tables", how, "orders").out()).startsWith("orders: 0 new, 0 changed, 3 deleted, ");
            assertThat(cli.run("tables", how, "orders", "--json").out()).startsWith("{\"results\":[{\"request\":");
            assertThat(cli.run("tables", how, "nothing").err()).startsWith("perigee: NOT_FOUND");
        }
    }

    @Test
    void a_copy_is_verified_and_repaired() {
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "2h");
        Cli.Ended equal = cli.run("verify", "--table", "orders");
        assertThat(equal.exitCode()).as(equal.toString()).isZero();
        assertThat(equal.out())
                .startsWith("orders: equal, 30 rows in ")
                .endsWith(": 0 missing, 0 different, 0 extra, 0 repaired\n");

        inReplica("UPDATE orders SET note = 'wrong' WHERE id = 7");
        Cli.Ended different = cli.run("verify", "--json");
        assertThat(different.exitCode()).isEqualTo(1);
        assertThat(different.out())
                .startsWith("{\"success\":false,\"tables\":[{\"table\":\"orders\",\"verdict\":\"different\"");
        assertThat(cli.run("verify", "--repair").out()).contains("orders: repaired", "1 different", "1 repaired");
        assertThat(cli.run("verify").exitCode()).isZero();
        assertThat(cli.run("verify", "--table", "nothing").exitCode()).isEqualTo(1);
        cli.run("tables", "remove", "orders");
        assertThat(cli.run("verify").err()).contains("no table is replicated", "perigee tables add");
        cli.run("tables", "add", "orders", "--mode", "full", "--target", "whole", "--interval", "2h");
        assertThat(cli.run("verify")).satisfies(ended -> {
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.err()).contains("all 1 tables are in mode full");
        });
    }

    @Test
    void one_table_that_cannot_be_verified_does_not_keep_the_others_from_it() {
        postgres.execute("CREATE TABLE untouched (id int PRIMARY KEY)");
        cli.run("tables", "add", "untouched", "--mode", "full", "--interval", "2h");
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "2h");
        cli.run("tables", "sync", "orders");
        Cli.Ended ended = cli.run("verify", "--table", "untouched", "--table", "orders");
        assertThat(ended.exitCode()).as(ended.toString()).isEqualTo(1);
        assertThat(ended.err()).contains("table untouched: its mode is `full`");
        assertThat(ended.out()).contains("orders: equal");
        cli.run("tables", "remove", "untouched");
        postgres.execute("DROP TABLE untouched");
    }

    /// The answers were those of an earlier verification now and then.
    @Test
    void each_verification_answers_for_itself_while_differences_come_and_go() {
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "2h");
        cli.run("tables", "sync", "orders");
        for (int i = 0; i < 100; i++) {
            boolean isPlanted = i % 2 == 1;
            inReplica("UPDATE orders SET note = '%s' WHERE id = 7".formatted(isPlanted ? "no" : "note 7"));
            Cli.Ended ended = cli.run("verify", "--table", "orders");
            assertThat(ended.out())
                    .as("run %d: %s", i, ended)
                    .startsWith(isPlanted ? "orders: different" : "orders: equal");
            assertThat(ended.exitCode()).isEqualTo(isPlanted ? 1 : 0);
        }
    }

    @Test
    void rows_are_fetched_again_by_key_and_what_cannot_be_stored_is_listed() {
        cli.run("tables", "add", "orders", "--cursor", "updated_at", "--interval", "1h");
        cli.run("tables", "sync", "orders");
        assertThat(cli.run("tables", "backfill", "orders", "--key", "7"))
                .isEqualTo(new Cli.Ended(0, "orders: done; 0 new, 0 changed, 0 deleted, 1 the same\n", ""));
        assertThat(cli.run("tables", "backfill", "orders", "--from", "5", "--to", "9")
                        .out())
                .isEqualTo("orders: done; 0 new, 0 changed, 0 deleted, 5 the same\n");
        assertThat(cli.run("tables", "backfill", "orders", "--key", "x").err()).contains("22P02");
        assertThat(cli.run("tables", "backfill", "orders", "--key", "1", "--to", "2")
                        .exitCode())
                .isEqualTo(2);
        assertThat(cli.run("tables", "backfill", "orders", "--cancel").err()).contains("NOT_FOUND");
        assertThat(cli.run("tables", "set-aside", "orders").out()).isEqualTo("orders: all rows are stored\n");
        assertThat(cli.run("tables", "set-aside", "orders", "--retry", "--json").out())
                .contains("\"count\":0");
    }

    @Test
    void a_name_may_hold_anything() {
        assertThat(cli.run("tables", "add", "\"Odd name/?\"", "--cursor", "id").err())
                .isEmpty();
        assertThat(cli.run("tables", "pause", "\"Odd name/?\"").err()).isEmpty();
        assertThat(cli.run("tables", "remove", "\"Odd name/?\"").exitCode()).isZero();
    }

    @Test
    void what_the_server_refuses_is_said_in_its_words() {
        assertThat(cli.run("tables", "add", "orders", "--cursor", "no_such")).satisfies(ended -> {
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.err()).startsWith("perigee: SOURCE_COLUMN_MISSING").contains("no_such");
        });
        assertThat(cli.run("tables", "add", "orders", "--cursor", "id", "--interval", "soon")
                        .err())
                .contains("`interval`: expected a duration");
        assertThat(cli.run("tables", "pause", "nothing").err()).startsWith("perigee: NOT_FOUND");
        assertThat(with("wrong").run("status").err())
                .contains("does not accept the token in ADMIN_AUTHORIZATION_TOKEN")
                .doesNotContain("wrong");
        assertThat(new Cli(Map.of()).run("status").exitCode()).isEqualTo(2);
        assertThat(cli.run("status", "--url", "ftp://x").exitCode()).isEqualTo(2);
        assertThat(cli.run("status", "--url", "http://127.0.0.1:1")).satisfies(ended -> {
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.err()).startsWith("perigee: no server answers at http://127.0.0.1:1");
        });
    }

    @Test
    void the_status_shows_where_tables_stand_and_a_failing_one_is_an_exit_code() {
        assertThat(cli.run("status").out()).contains("No table is replicated yet", "source postgresql://127.0.0.1:");
        cli.run("tables", "add", "orders", "--cursor", "id");
        cli.run("tables", "sync");

        assertThat(cli.run("status")).satisfies(ended -> {
            assertThat(ended.exitCode()).isZero();
            assertThat(ended.out()).containsPattern("orders +30 +30 +[0-9.]+ s +settled\\(10s\\) +idle +in ");
        });
        assertThat(cli.run("status", "--json").out())
                .startsWith("{\"database\":{\"internal\":")
                .contains("\"rowCount\":30");

        postgres.execute("ALTER TABLE orders RENAME TO gone");
        try {
            assertThat(cli.run("tables", "sync").exitCode()).isEqualTo(1);
            await().untilAsserted(() -> assertThat(cli.run("status").exitCode()).isEqualTo(1));
            assertThat(cli.run("status").out()).contains("failing").contains("orders: SOURCE_TABLE_MISSING");
        } finally {
            postgres.execute("ALTER TABLE gone RENAME TO orders");
        }
    }

    @Test
    void a_source_that_is_away_is_shown_once_with_the_tables_it_holds_up(@TempDir Path folder) {
        postgres.execute("CREATE TABLE held (id int PRIMARY KEY)");
        try (TcpProxy proxy = new TcpProxy(postgres.port());
                Perigee behind = Perigee.open(new PerigeeConfig(
                        StoreConfig.of(folder),
                        ServeConfig.of(0, "admin-token"),
                        QueryConfig.defaults(),
                        Optional.of(TestPostgres.config(proxy.port(), postgres.database())),
                        ReplicationConfig.defaults()))) {
            Cli there = with("admin-token", behind.port());
            there.run("tables", "add", "orders", "--cursor", "id", "--interval", "2h");
            there.run("tables", "add", "held", "--cursor", "id", "--interval", "2h");
            there.run("tables", "sync");
            assertThat(there.run("status").exitCode()).isZero();
            proxy.failAfter(0, TcpProxy.Fault.CLOSE);
            there.run("tables", "sync");
            Cli.Ended away = there.run("status");
            assertThat(away.exitCode()).isEqualTo(1);
            assertThat(away.out())
                    .containsOnlyOnce("SOURCE_UNREACHABLE")
                    .contains("SOURCE_UNREACHABLE in the source: ")
                    .containsPattern("it holds up (held, orders|orders, held)\\.")
                    .containsPattern("held .* failing");
            assertThat(there.run("status", "--json").out()).contains("\"source\":{\"fault\":\"SOURCE_UNREACHABLE\"");
        } finally {
            postgres.execute("DROP TABLE held");
        }
    }

    @Test
    void the_end_of_a_table_that_the_file_names_is_answered_with_its_line(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("perigee.yaml"), """
                replication:
                  tables:
                    - name: orders
                      cursorColumn: id
                """);
        ReplicationConfig named = PerigeeConfigReader.read(
                        Optional.of(file),
                        PerigeeConfigReader.Overrides.NONE,
                        Map.of("ADMIN_AUTHORIZATION_TOKEN", "admin-token"))
                .replication();
        try (Perigee other = Perigee.open(new PerigeeConfig(
                StoreConfig.of(folder.resolve("data")),
                ServeConfig.of(0, "admin-token"),
                QueryConfig.defaults(),
                Optional.of(postgres.config()),
                named))) {
            Cli there = with("admin-token", other.port());
            assertThat(there.run("tables", "remove", "orders", "--drop")).satisfies(ended -> {
                assertThat(ended.exitCode()).isZero();
                assertThat(ended.out()).isEqualTo("orders: removed\n");
                assertThat(ended.err())
                        .startsWith("perigee: orders: the configuration names this table")
                        .contains(file + ":3:13", "the next start replicates it again");
            });
        }
    }

    @Test
    void what_waits_for_somebody_is_shown_with_the_command_that_helps_and_is_an_exit_code() {
        postgres.execute("CREATE TABLE many (id int PRIMARY KEY, v int NOT NULL);"
                + " INSERT INTO many SELECT i, i FROM generate_series(1, 3000) i");
        try {
            cli.run("tables", "add", "many", "--cursor", "v", "--interval", "2h", "--deletes", "sweep(2h)");
            cli.run("tables", "sync", "many");
            assertThat(cli.run("status").exitCode()).isZero();

            postgres.execute("DELETE FROM many WHERE id <= 2000");
            assertThat(cli.run("tables", "sweep", "many").exitCode()).isEqualTo(1);
            assertThat(cli.run("status")).satisfies(ended -> {
                assertThat(ended.exitCode()).isEqualTo(1);
                assertThat(ended.out())
                        .contains("many: A sweep would remove 2,000 rows", "run `perigee tables sweep many --confirm`");
            });
            cli.run("tables", "sweep", "many", "--confirm");
            assertThat(cli.run("status"))
                    .satisfies(ended ->
                            assertThat(ended.exitCode()).as(ended.out()).isZero());

            inReplica("UPDATE many SET v = -1 WHERE id = 2500");
            cli.run("verify", "--table", "many");
            assertThat(cli.run("status")).satisfies(ended -> {
                assertThat(ended.exitCode()).isEqualTo(1);
                assertThat(ended.out()).contains("different(1)", "To fix: run `perigee verify --table many --repair`");
            });
            cli.run("verify", "--table", "many", "--repair");

            cli.run("query", "CREATE TRIGGER never BEFORE INSERT ON many BEGIN SELECT raise(ABORT, 'never'); END");
            postgres.execute("INSERT INTO many VALUES (9001, 9001)");
            cli.run("tables", "sync", "many");
            assertThat(cli.run("status")).satisfies(ended -> {
                assertThat(ended.exitCode()).isEqualTo(1);
                assertThat(ended.out()).contains("incomplete(1)", "perigee tables set-aside many");
            });
            assertThat(cli.run("status", "--json").out())
                    .contains("\"attention\":[{\"about\":\"set_aside\",\"rows\":1,");
        } finally {
            cli.run("tables", "remove", "many", "--drop");
            postgres.execute("DROP TABLE many");
        }
    }

    @Test
    void a_query_is_answered_as_a_table_as_json_and_as_csv() {
        String sql = "SELECT 1 AS a, NULL AS b, 'x,\"y\"' || char(10) AS c, 1.5 AS d, '' AS e, ? AS f, ? AS g";

        assertThat(cli.run("query", sql, "7", "0012").out()).isEqualTo("""
                a  b     c        d    e  f  g
                -  ----  -------  ---  -  -  ----
                1  NULL  x,"y"\\n  1.5     7  0012
                (1 row)
                """);
        assertThat(cli.run("query", sql, "7", "0012", "--json").out())
                .isEqualTo(
                        "[{\"a\":1,\"b\":null,\"c\":\"x,\\\"y\\\"\\n\",\"d\":1.5,\"e\":\"\",\"f\":7,\"g\":\"0012\"}]\n");
        assertThat(cli.run("query", sql, "7", "0012", "--csv").out())
                .isEqualTo("a,b,c,d,e,f,g\r\n1,,\"x,\"\"y\"\"\n\",1.5,\"\",7,0012\r\n");
        assertThat(cli.run("query", "SELECT 1 AS a WHERE 0", "--json").out()).isEqualTo("[]\n");
        assertThat(cli.run("query", "SELECT 9223372036854775807 AS a", "--csv").out())
                .isEqualTo("a\r\n9223372036854775807\r\n");
    }

    @Test
    void null_and_the_empty_text_differ_also_in_a_csv_of_one_column() {
        assertThat(cli.run("query", "SELECT column1 AS v FROM (VALUES (NULL), (''), (' x'), (NULL))", "--csv")
                        .out())
                .isEqualTo("v\r\n\r\n\"\"\r\n\" x\"\r\n\r\n");
    }

    @Test
    void a_file_is_read_without_a_server_and_cannot_be_written() {
        String file = perigee.store().file().toString();
        Cli nobody = new Cli(Map.of());

        assertThat(nobody.run("query", "--file", file, "SELECT x'01ff' AS b, 2 AS c", "--csv")
                        .out())
                .isEqualTo("b,c\r\nx'01ff',2\r\n");
        assertThat(nobody.run("query", "--file", file, "CREATE TABLE t (a)").exitCode())
                .isEqualTo(1);
        assertThat(nobody.run("query", "--file", file, "SELECT 1; SELECT 2").err())
                .contains("more than one statement");
        assertThat(nobody.run("query", "--file", file, "SELECT ?").err()).contains("1 parameters, but 0 were given");
        assertThat(nobody.run("query", "--file", file + "x", "SELECT 1").err()).contains("there is no file");
    }

    @Test
    void a_statement_may_come_from_standard_input_and_go_to_the_source() {
        assertThat(with("admin-token")
                        .reading("SELECT current_database() AS name")
                        .run("query", "-", "--source", "external", "--csv")
                        .out())
                .isEqualTo("name\r\n" + postgres.database() + "\r\n");
        assertThat(cli.run("query", "SELEC 1")).satisfies(ended -> {
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.out()).isEmpty();
            assertThat(ended.err()).startsWith("perigee: STATEMENT_INVALID");
        });
    }

    @Test
    void a_large_answer_goes_through_row_by_row() {
        Cli.Ended ended = cli.run(
                "query",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n",
                "--csv");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out()).startsWith("i\r\n1\r\n2\r\n").endsWith("\r\n200000\r\n");
    }

    @Test
    void an_answer_ends_when_its_reader_has_gone() {
        CommandLine line = Main.commandLine(new ProcessContext(Map.of(), InputStream.nullInputStream(), false));
        Writer closed = new Writer() {
            @Override
            public void write(char[] characters, int from, int length) throws IOException {
                throw new IOException("Broken pipe");
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        StringWriter err = new StringWriter();
        line.setOut(new PrintWriter(closed)).setErr(new PrintWriter(err, true));
        String endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";

        int exitCode = line.execute("query", "--file", perigee.store().file().toString(), endless);

        assertThat(exitCode).isEqualTo(1);
        assertThat(err).hasToString("perigee: standard output was closed; not all rows were shown\n");
    }

    /// Past everything that keeps callers from writing to copies.
    private static void inReplica(String sql) {
        perigee.store().write(tx -> {
            tx.connection().exec(sql);
            return true;
        });
    }

    private static Cli with(String token) {
        return with(token, perigee.port());
    }

    private static Cli with(String token, int port) {
        return new Cli(Map.of("ADMIN_AUTHORIZATION_TOKEN", token, "PERIGEE_URL", "http://127.0.0.1:" + port + "/"));
    }
}
