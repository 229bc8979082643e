package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyncCommandTest {
    @TempDir
    private Path dir;

    private TestPostgres postgres;
    private String from;
    private String to;
    private final Cli cli = new Cli(Map.of("PGPASSWORD", "postgres"));

    @BeforeEach
    void shop() {
        postgres = TestPostgres.create();
        from = "postgres://postgres@127.0.0.1:%d/%s".formatted(postgres.port(), postgres.database());
        to = dir.resolve("shop.db").toString();
        postgres.execute("""
                CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10, 2), updated_at timestamptz NOT NULL);
                CREATE INDEX orders_updated ON orders (updated_at);
                INSERT INTO orders SELECT i, i, '2024-01-01'::timestamptz + i / 10 * interval '1 s'
                    FROM generate_series(1, 2500) i;
                CREATE TABLE customers (id int PRIMARY KEY, name text);
                INSERT INTO customers SELECT i, 'c' || i FROM generate_series(1, 10) i;
                CREATE TABLE log (line text);
                CREATE SCHEMA sales;
                CREATE TABLE sales.items (order_id int, line int, changed_at timestamp);
                INSERT INTO sales.items SELECT i, 1, now() FROM generate_series(1, 7) i""");
    }

    @AfterEach
    void close() {
        postgres.close();
    }

    @Test
    void a_table_is_copied_and_a_second_run_goes_on_from_the_cursor() {
        Cli.Ended first = cli.run("sync", "--from", from, "--table", "orders", "--cursor", "updated_at", "--to", to);
        postgres.execute("INSERT INTO orders VALUES (9001, 1, '2025-01-01'), (9002, NULL, '2025-01-01')");
        Cli.Ended second = cli.run("sync", "--from", from, "--table", "orders", "--cursor", "updated_at", "--to", to);

        assertThat(first.exitCode()).as(first.err()).isZero();
        assertThat(first.out())
                .startsWith("orders by updated_at: 2,500 rows in ")
                .contains(": 2,500 new, 0 changed");
        assertThat(second.out()).startsWith("orders by updated_at: 2 rows in ").contains(": 2 new, 0 changed");
        assertThat(query("SELECT count(*), sum(id) FROM orders")).isEqualTo("2502,3144253\r\n");
    }

    @Test
    void a_source_that_went_back_is_named_with_the_option_that_helps() {
        String[] sync = {"sync", "--from", from, "--to", to, "--table", "orders", "--cursor", "updated_at"};
        cli.run(sync);
        postgres.execute("TRUNCATE orders; INSERT INTO orders VALUES (1, 7, '2020-01-01'), (5000, 1, '2020-01-01')");
        Cli.Ended refused = cli.run(sync);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err())
                .startsWith("perigee: SOURCE_BEHIND_CURSOR in table orders")
                .contains("To fix: make sure that it is the source you want, then run this command again with --resync")
                .doesNotContain("perigee tables");
        assertThat(query("SELECT count(*) FROM orders")).isEqualTo("2500\r\n");
        String[] again = Arrays.copyOf(sync, sync.length + 1);
        again[sync.length] = "--resync";
        assertThat(cli.run(again)).satisfies(ended -> {
            assertThat(ended.exitCode()).as(ended.err()).isZero();
            assertThat(ended.out()).startsWith("orders by updated_at: 2 rows");
        });
        assertThat(query("SELECT count(*), sum(id) FROM orders")).isEqualTo("2,5001\r\n");
        assertThat(cli.run(sync).exitCode()).isZero();
    }

    @Test
    void a_file_of_another_kind_stays_as_it_is_and_where_it_is() throws IOException {
        Path notes = Files.writeString(dir.resolve("notes.txt"), "What I must not forget.\n".repeat(50));
        String before = Files.readString(notes);
        Cli.Ended ended = cli.run("sync", "--from", from, "--to", notes.toString(), "--table", "orders");
        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err())
                .contains(
                        "notes.txt: the file is not a SQLite database",
                        "It was not changed",
                        "To fix: name another file");
        assertThat(Files.readString(notes)).isEqualTo(before);
        assertThat(dir).isDirectoryContaining(path -> path.equals(notes));
    }

    @Test
    void options_belong_to_the_table_before_them() {
        Cli.Ended ended = cli.run(
                "sync",
                "--from",
                from,
                "--to",
                to,
                "--json",
                "--table",
                "orders",
                "--cursor",
                "updated_at",
                "--table",
                "customers",
                "--table",
                "sales.items",
                "--cursor",
                "changed_at",
                "--key",
                "order_id,line",
                "--target",
                "lines");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out())
                .startsWith("{\"success\":true,")
                .contains("\"table\":\"orders\",\"inserted\":2500", "\"table\":\"sales.items\",\"inserted\":7")
                .contains("\"table\":\"customers\",\"inserted\":10");
        assertThat(query("SELECT count(*) FROM lines")).isEqualTo("7\r\n");
    }

    @Test
    void a_key_that_several_rows_share_is_no_success() {
        Cli.Ended ended = cli.run(
                "sync",
                "--from",
                from,
                "--to",
                to,
                "--table",
                "sales.items",
                "--cursor",
                "changed_at",
                "--key",
                "line");

        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err()).contains("set aside", "KEY_MISSING");
    }

    @Test
    void without_a_table_it_offers_what_it_can_copy_and_says_why() {
        Cli.Ended ended = cli.run("sync", "--from", from, "--to", to);

        assertThat(ended.exitCode()).isEqualTo(2);
        assertThat(ended.err()).isEqualTo("perigee: nothing was copied; choose with --table, or copy all with --all\n");
        assertThat(ended.out())
                .contains("\"updated_at\" looks like the time of the last change and has the index \"orders_updated\"")
                .containsPattern("public.customers +[0-9?]+ +in mode xmin +no column looks like the time of the last")
                .contains("(`--cursor` with \"id\" costs less where rows never change)")
                .containsPattern("public.log +[0-9?]+ +in mode full +all rows are fetched each time, since it has")
                .doesNotContain("postgres:postgres");
        assertThat(dir).isEmptyDirectory();
    }

    @Test
    void the_names_it_offers_are_those_that_it_takes() {
        postgres.execute("""
                CREATE SCHEMA "Big.S"; CREATE SCHEMA "a""b";
                CREATE TABLE "Capital" (id int PRIMARY KEY);
                CREATE TABLE capital (id int PRIMARY KEY);
                CREATE TABLE "with.dot" (id int PRIMARY KEY);
                CREATE TABLE "Big.S"."x y" (id int PRIMARY KEY);
                CREATE TABLE "a""b"."q""z" (id int PRIMARY KEY);
                INSERT INTO "Capital" VALUES (1);""");
        String offered = cli.run("sync", "--from", from, "--to", to).out();
        List<String> names = offered.lines()
                .filter(line -> line.contains("with \"id\" costs less"))
                .map(line -> line.split(" {2,}")[0])
                .toList();
        assertThat(names)
                .contains(
                        "public.customers",
                        "public.\"Capital\"",
                        "public.capital",
                        "public.\"with.dot\"",
                        "\"Big.S\".\"x y\"",
                        "\"a\"\"b\".\"q\"\"z\"");
        String json = cli.run("sync", "--from", from, "--to", to, "--json").out();
        for (int i = 0; i < names.size(); i++) {
            Cli.Ended ended = cli.run(
                    "sync", "--from", from, "--to", to, "--table", names.get(i), "--cursor", "id", "--target", "t" + i);
            assertThat(ended.exitCode()).as(names.get(i) + ": " + ended.err()).isZero();
            assertThat(json).contains("\"table\":\"%s\"".formatted(names.get(i).replace("\"", "\\\"")));
        }
        assertThat(query("SELECT count(*) FROM t" + names.indexOf("public.\"Capital\"")))
                .isEqualTo("1\r\n");
        assertThat(query("SELECT count(*) FROM t" + names.indexOf("public.capital")))
                .isEqualTo("0\r\n");
    }

    @Test
    void all_copies_what_can_be_copied() {
        Cli.Ended ended = cli.run("sync", "--from", from, "--to", to, "--all");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(ended.out())
                .contains(
                        "customers in mode xmin: 10 rows",
                        "log in mode full: 0 rows",
                        "orders by updated_at: 2,500 rows",
                        "sales.items in mode full: 7 rows");
        assertThat(query("SELECT count(*) FROM customers")).isEqualTo("10\r\n");
    }

    @Test
    void a_person_is_asked_and_only_a_yes_copies() {
        assertThat(new Cli(Map.of("PGPASSWORD", "postgres"))
                        .typing("\n")
                        .run("sync", "--from", from, "--to", to)
                        .out())
                .endsWith("Copy these 4 tables into %s? [y/N] ".formatted(to));
        assertThat(dir).isEmptyDirectory();

        assertThat(new Cli(Map.of("PGPASSWORD", "postgres")).typing("y\n").run("sync", "--from", from, "--to", to))
                .satisfies(ended -> assertThat(ended.exitCode()).isZero());
        assertThat(query("SELECT count(*) FROM orders")).isEqualTo("2500\r\n");
    }

    @Test
    void the_source_may_be_in_the_environment() {
        Cli fromEnvironment = new Cli(Map.of(
                "EXTERNAL_DB_URL", from, "EXTERNAL_DB_PASS", "postgres", "EXTERNAL_DB_DEFAULT_SCHEMA", "public"));

        assertThat(fromEnvironment.run("sync", "--to", to, "--table", "customers"))
                .satisfies(ended -> assertThat(ended.out()).startsWith("customers in mode xmin: 10 rows"));
        assertThat(cli.run("sync", "--to", to).err())
                .startsWith("perigee: SOURCE_NOT_CONFIGURED")
                .contains("--from");
        assertThat(cli.run("sync", "--to", to).exitCode()).isEqualTo(2);
    }

    @Test
    void what_fails_is_said_without_a_password_and_the_others_are_copied() {
        String withPassword = from.replace("postgres@", "postgres:falsch@").replace("/test", "/no_such_test");
        Cli.Ended noDatabase = cli.run("sync", "--from", withPassword, "--to", to, "--table", "orders");
        postgres.execute("CREATE VIEW broken AS SELECT id, 1 / (id - 5) AS x FROM customers");
        Cli.Ended brokenTable = cli.run(
                "sync",
                "--from",
                from,
                "--to",
                to,
                "--table",
                "broken",
                "--cursor",
                "id",
                "--key",
                "id",
                "--table",
                "customers");

        assertThat(noDatabase.exitCode()).isEqualTo(1);
        assertThat(noDatabase.err())
                .startsWith("perigee: SOURCE_")
                .doesNotContain("falsch")
                .doesNotContain("\tat ");
        assertThat(brokenTable.exitCode()).isEqualTo(1);
        assertThat(brokenTable.out()).contains("; then it FAILED").contains("customers in mode xmin: 10 rows");
        assertThat(brokenTable.err()).startsWith("perigee: SOURCE_").contains("division by zero");
    }

    @Test
    void a_table_whose_cursor_nobody_can_justify_needs_one() {
        Cli.Ended ended = cli.run("sync", "--from", from, "--to", to, "--table", "log", "--mode", "cursor");

        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err())
                .startsWith("perigee: CURSOR_UNSUITABLE in table log")
                .contains("To fix: name a cursor column with --cursor, or choose --mode xmin or --mode full.");
        assertThat(Files.exists(dir.resolve("shop.db"))).isFalse();
    }

    /// A cursor that misses updates is not proposed where something sees them.
    @Test
    void what_sees_changed_rows_comes_first_and_each_choice_says_what_it_misses() {
        postgres.execute("""
                CREATE TABLE film (film_id int PRIMARY KEY, last_update timestamp NOT NULL DEFAULT now());
                CREATE TABLE large (id int PRIMARY KEY, last_update timestamp NOT NULL DEFAULT now());
                UPDATE pg_class SET reltuples = 5000000 WHERE relname = 'large';
                CREATE VIEW film_list AS SELECT * FROM customers;
                CREATE TABLE cities (name text PRIMARY KEY); CREATE TABLE capitals () INHERITS (cities);
                INSERT INTO film VALUES (1); INSERT INTO large VALUES (1)""");
        String offered = cli.run("sync", "--from", from, "--to", to).out();
        assertThat(offered)
                .containsPattern("public.film +[0-9?]+ +by last_update .* no index, so each sync sorts the table; rows"
                        + " changed without it and rows deleted are missed")
                .containsPattern(
                        "public.large +5,000,000 +in mode xmin +\"last_update\" has no index, and the table is large")
                .containsPattern("public.film_list +[0-9?]+ +in mode full")
                .containsPattern("public.cities +[0-9?]+ +in mode full .* since other tables inherit from it");

        cli.run("sync", "--from", from, "--to", to, "--all");
        postgres.execute("UPDATE customers SET name = 'changed' WHERE id = 3");
        assertThat(cli.run("sync", "--from", from, "--to", to, "--all").exitCode())
                .isZero();
        assertThat(query("SELECT name FROM customers WHERE id = 3")).isEqualTo("changed\r\n");
    }

    @Test
    void a_mode_is_taken_as_it_is_said_and_a_key_that_is_named_is_one() {
        postgres.execute("CREATE VIEW v AS SELECT * FROM customers");
        assertThat(cli.run("sync", "--from", from, "--to", to, "--table", "v", "--key", "id")
                        .out())
                .startsWith("v in mode full: 10 rows");
        assertThat(cli.run("sync", "--from", from, "--to", to, "--table", "customers", "--mode", "cursor")
                        .out())
                .startsWith("customers by id: 10 rows");
        assertThat(cli.run("sync", "--from", from, "--to", to, "--table", "orders", "--mode", "xmin")
                        .out())
                .startsWith("orders in mode xmin: 2,500 rows");
        for (String[] wrong : new String[][] {{"--mode", "xmin"}, {"--mode", "often"}}) {
            Cli.Ended ended = cli.run(
                    "sync", "--from", from, "--to", to, "--table", "orders", wrong[0], wrong[1], "--cursor", "id");
            assertThat(ended.exitCode()).as(ended.err()).isEqualTo(2);
            assertThat(ended.err()).contains("--mode");
        }
    }

    @Test
    void a_table_without_columns_and_a_source_without_tables_are_named() {
        postgres.execute("CREATE TABLE nothing ()");
        assertThat(cli.run("sync", "--from", from, "--to", to).out())
                .containsPattern("public.nothing +[0-9?]+ +- +not copied: .*public.nothing has no columns");
        assertThat(cli.run("sync", "--from", from, "--to", to, "--table", "nothing"))
                .satisfies(ended -> {
                    assertThat(ended.exitCode()).isEqualTo(1);
                    assertThat(ended.err()).contains("public.nothing has no columns");
                });
        try (TestPostgres empty = TestPostgres.create()) {
            Cli.Ended ended = cli.run(
                    "sync",
                    "--from",
                    "postgres://postgres@127.0.0.1:%d/%s".formatted(empty.port(), empty.database()),
                    "--to",
                    to,
                    "--all");
            assertThat(ended.exitCode()).isEqualTo(1);
            assertThat(ended.err()).contains("there is no table that postgres may read", "grant SELECT");
        }
    }

    private String query(String sql) {
        Cli.Ended ended = cli.run("query", "--file", to, "--csv", sql);
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        return ended.out().substring(ended.out().indexOf("\r\n") + 2);
    }
}
