package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceIndex;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceTable.Kind;
import dev.perigee.source.TableId;
import dev.perigee.testing.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the catalog of a real server says of tables of all kinds, and under all names.
class PostgresCatalogTest {
    private static TestPostgres postgres;
    private static PostgresConnections connections;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        connections = new PostgresConnections(postgres.config());
    }

    @AfterAll
    static void stop() {
        connections.close();
        postgres.close();
    }

    /// A database for each test would take a second each.
    @BeforeEach
    void empty() {
        postgres.execute("""
                DO $$
                DECLARE name text;
                BEGIN
                    FOR name IN SELECT quote_ident(nspname) FROM pg_namespace
                        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
                    LOOP EXECUTE 'DROP SCHEMA ' || name || ' CASCADE'; END LOOP;
                END $$;
                CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC""");
    }

    /// A program that draws a block of numbers uses them up in transactions to come.
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            bigserial                                                      | true
            bigint GENERATED ALWAYS AS IDENTITY                            | true
            bigint GENERATED ALWAYS AS IDENTITY (INCREMENT BY 50)          | false
            bigint GENERATED ALWAYS AS IDENTITY (CACHE 20)                 | false
            bigint GENERATED ALWAYS AS IDENTITY (MAXVALUE 9 CYCLE)         | false
            timestamptz DEFAULT now()                                      | true
            timestamptz                                                    | false
            uuid DEFAULT uuidv7()                                          | true
            uuid DEFAULT gen_random_uuid()                                 | false
            """)
    void a_column_is_stamped_where_the_source_hands_out_its_values_in_order(String definition, boolean isStamped) {
        postgres.execute("CREATE TABLE t (c %s)".formatted(definition));
        assertThat(describe("t").column("c").orElseThrow().isStamped()).isEqualTo(isStamped);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "plain, plain",
                "PLAIN, plain",
                "\"plain\", plain",
                "public.plain, plain",
                "Public.Plain, plain",
                "MixedCase, MixedCase",
                "\"MixedCase\", MixedCase",
                "select, select",
                "\"a.b\", a.b",
                "public.\"a.b\", a.b",
                "\"say \"\"hi\"\"\", say \"hi\"",
                "größe, größe",
                "with space, with space",
                "per%cent, per%cent",
                "semi;colon, semi;colon",
                "back\\slash, back\\slash",
                "'quoted', 'quoted'",
            })
    void a_table_is_found_by_the_name_an_admin_writes(String written, String name) {
        postgres.execute("CREATE TABLE %s (id int PRIMARY KEY)".formatted(Quoted.name(name)));
        SourceTable table = describe(written);
        assertThat(table.id()).isEqualTo(new TableId("public", name));
        assertThat(table.key()).containsExactly("id");
        assertThat(discover()).containsExactly(table);
    }

    @Test
    void the_spelling_as_written_comes_before_lower_case() {
        postgres.execute("CREATE TABLE \"Orders\" (a int); CREATE TABLE orders (b int)");
        assertThat(describe("Orders").id().name()).isEqualTo("Orders");
        assertThat(describe("ORDERS").id().name()).isEqualTo("orders");
        assertThat(describe("orders").id().name()).isEqualTo("orders");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "a.", ".a", "a.b.c", "\"open", "\"a\"b", "a..b", "\"\""})
    void what_is_not_a_name_is_refused(String written) {
        assertFails(() -> describe(written), Fault.SOURCE_TABLE_MISSING, "schema.table");
    }

    @Test
    void a_table_in_another_schema_is_found_there_and_suggested_elsewhere() {
        postgres.execute("""
                CREATE SCHEMA "Old Shop"; CREATE TABLE "Old Shop".orders (id int); CREATE TABLE customers (id int)""");
        assertThat(describe("\"Old Shop\".orders").id()).isEqualTo(new TableId("Old Shop", "orders"));
        assertFails(() -> describe("orders"), Fault.SOURCE_TABLE_MISSING, "did you mean Old Shop.orders?");
        assertFails(() -> describe("custommers"), Fault.SOURCE_TABLE_MISSING, "did you mean public.customers?");
    }

    @Test
    void the_default_schema_is_the_configurations() {
        postgres.execute("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)");
        SourceTable table = connections.read("t", c -> PostgresCatalog.describe(c, "orders", "shop"));
        assertThat(table.id()).isEqualTo(new TableId("shop", "orders"));
    }

    @Test
    void kinds_are_told_apart_and_partitions_are_not_tables_of_their_own() {
        postgres.execute("""
                CREATE TABLE plain (id int PRIMARY KEY);
                CREATE TABLE parted (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
                CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
                    PARTITION BY LIST (id);
                CREATE TABLE parted_1_a PARTITION OF parted_1 DEFAULT;
                CREATE VIEW seen AS SELECT * FROM plain;
                CREATE MATERIALIZED VIEW kept AS SELECT * FROM plain;
                CREATE UNIQUE INDEX ON kept (id);
                CREATE SEQUENCE numbers; CREATE TYPE pair AS (a int, b int); CREATE UNLOGGED TABLE light (id int)""");
        assertThat(discover())
                .extracting(t -> t.id().name() + " " + t.kind())
                .containsExactly(
                        "kept MATERIALIZED_VIEW",
                        "light TABLE",
                        "parted PARTITIONED_TABLE",
                        "plain TABLE",
                        "seen VIEW");
        assertThat(describe("parted").key()).containsExactly("id", "day");
        assertThat(describe("parted_1_a").key()).containsExactly("id", "day");
        assertThat(describe("seen").keyOrigin()).isEqualTo("none");
        // A materialized view's columns are never NOT NULL in the catalog, so its index proves no key.
        assertThat(describe("kept").key()).isEmpty();
        assertFails(() -> describe("numbers"), Fault.SOURCE_TABLE_MISSING);
        assertFails(() -> describe("pair"), Fault.SOURCE_TABLE_MISSING);
    }

    @Test
    void a_foreign_table_is_one() {
        postgres.execute("""
                CREATE EXTENSION postgres_fdw;
                CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
                CREATE FOREIGN TABLE far (id int NOT NULL, name text) SERVER other""");
        SourceTable far = describe("far");
        assertThat(far.kind()).isEqualTo(Kind.FOREIGN_TABLE);
        assertThat(far.columns()).extracting(SourceColumn::name).containsExactly("id", "name");
        assertThat(far.estimatedRows()).isEqualTo(-1);
        assertThat(discover()).containsExactly(far);
    }

    @Test
    void the_systems_tables_and_temporary_ones_are_left_out() throws SQLException {
        try (Connection c = postgres.connect();
                Statement statement = c.createStatement()) {
            statement.execute("CREATE TEMP TABLE mine (id int)");
            assertThat(PostgresCatalog.discover(c)).isEmpty();
        }
    }

    @Test
    void as_many_columns_as_a_table_can_have_and_none() {
        String columns =
                IntStream.rangeClosed(1, 1600).mapToObj(i -> "c" + i + " int").collect(Collectors.joining(", "));
        postgres.execute("CREATE TABLE wide (" + columns + "); CREATE TABLE none ()");
        assertThat(describe("wide").columns()).hasSize(1600);
        assertThat(describe("none").columns()).isEmpty();
        assertThat(discover()).hasSize(2);
    }

    @Test
    void columns_come_in_order_without_those_dropped_and_keep_their_number() {
        postgres.execute("""
                CREATE TABLE t (a int, b int, c int NOT NULL, "Big C" text);
                ALTER TABLE t DROP COLUMN a; ALTER TABLE t RENAME b TO bb; ALTER TABLE t ADD z int GENERATED ALWAYS AS IDENTITY;
                ALTER TABLE t ADD g int GENERATED ALWAYS AS (c * 2) STORED""");
        assertThat(describe("t").columns())
                .extracting(c -> c.identity() + " " + c.name() + " " + c.isNotNull())
                .containsExactly("2 bb false", "3 c true", "4 Big C false", "5 z true", "6 g false");
    }

    @Test
    void types_are_told_in_the_sources_words() {
        postgres.execute("""
                CREATE TABLE t (a numeric(12,2), b varchar(10), c timestamptz(3), d int[], e "char", f interval day to second,
                    g bit(3), h character(5), i double precision)""");
        assertThat(describe("t").columns())
                .extracting(SourceColumn::sourceType)
                .containsExactly(
                        "numeric(12,2)",
                        "character varying(10)",
                        "timestamp(3) with time zone",
                        "integer[]",
                        "\"char\"",
                        "interval day to second",
                        "bit(3)",
                        "character(5)",
                        "double precision");
    }

    @Test
    void domains_are_followed_to_the_type_and_the_modifier_below() {
        postgres.execute("""
                CREATE DOMAIN money_amount AS numeric(12,2); CREATE DOMAIN price AS money_amount NOT NULL;
                CREATE DOMAIN prices AS price[]; CREATE TABLE t (p price, q prices)""");
        List<CatalogColumn> columns =
                connections.read("t", c -> PostgresCatalog.columns(c, new TableId("public", "t")));
        CatalogColumn price = columns.getFirst();
        assertThat(price.formattedType()).isEqualTo("price");
        assertThat(price.type().name()).isEqualTo("numeric");
        assertThat(price.type().modifier()).isEqualTo((12 << 16 | 2) + 4);
        // PostgreSQL does not promise it for a column: a left join may bring a NULL in.
        assertThat(price.isNotNull()).isFalse();
        assertThat(columns.get(1).type().category()).isEqualTo('A');
        assertThat(columns.get(1).type().isOrdered()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "int4 | true",
                "text | true",
                "varchar(10) | true",
                "char(3) | true",
                "uuid | true",
                "timestamptz | true",
                "numeric | true",
                "bytea | true",
                "inet | true",
                "cidr | true",
                "jsonb | true",
                "color | true",
                "int4range | true",
                "span | true",
                "int4multirange | true",
                "int[] | true",
                "varchar[] | true",
                "color[] | true",
                "regclass | true",
                "pg_lsn | true",
                "pair | true",
                "json | false",
                "json[] | false",
                "xml | false",
                "point | false",
                "box | false",
                "xid | false",
            })
    void a_type_is_ordered_where_the_source_can_order_it(String type, boolean isOrdered) {
        postgres.execute("""
                CREATE TYPE color AS ENUM ('red', 'blue'); CREATE TYPE span AS RANGE (subtype = float8);
                CREATE TYPE pair AS (a int, b int); CREATE TABLE t (c %s)""".formatted(type));
        assertThat(describe("t").columns().getFirst().isOrdered()).isEqualTo(isOrdered);
        if (isOrdered) postgres.execute("SELECT FROM t ORDER BY c; SELECT FROM t WHERE (c, 1) > (c, 2)");
    }

    @Test
    void without_a_primary_key_a_unique_index_without_nulls_is_the_key() {
        postgres.execute("""
                CREATE TABLE t (a int NOT NULL, b int NOT NULL, c int, d int NOT NULL);
                CREATE UNIQUE INDEX t_ba ON t (b, a) INCLUDE (c);
                CREATE UNIQUE INDEX t_abd ON t (a, b, d);
                CREATE UNIQUE INDEX t_c ON t (c)""");
        assertThat(describe("t").key()).containsExactly("b", "a");
        assertThat(describe("t").keyOrigin()).isEqualTo("unique index \"t_ba\"");
        assertThat(describe("t").indexes())
                .containsExactly(
                        new SourceIndex("t_abd", List.of("a", "b", "d"), true),
                        new SourceIndex("t_ba", List.of("b", "a"), true),
                        new SourceIndex("t_c", List.of("c"), true));
        postgres.execute("ALTER TABLE t REPLICA IDENTITY USING INDEX t_abd");
        assertThat(describe("t").key()).containsExactly("a", "b", "d");
        postgres.execute("ALTER TABLE t ADD PRIMARY KEY (d, a)");
        assertThat(describe("t").key()).containsExactly("d", "a");
        assertThat(describe("t").keyOrigin()).isEqualTo("primary key");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE UNIQUE INDEX ON t (c)", // may be NULL
                "CREATE UNIQUE INDEX ON t (a, c)",
                "CREATE UNIQUE INDEX ON t (lower(b))",
                "CREATE UNIQUE INDEX ON t (a, lower(b))",
                "CREATE UNIQUE INDEX ON t (a) WHERE a > 0",
                "CREATE INDEX ON t (a)",
                "ALTER TABLE t ADD UNIQUE (a) DEFERRABLE",
                "ALTER TABLE t ADD EXCLUDE USING btree (a WITH =)",
            })
    void what_does_not_identify_a_row_is_not_taken_for_a_key(String ddl) {
        postgres.execute("CREATE TABLE t (a int NOT NULL, b text NOT NULL, c int); " + ddl);
        assertThat(describe("t").key()).isEmpty();
        assertThat(describe("t").keyOrigin()).isEqualTo("none");
    }

    @Test
    void an_index_that_failed_to_be_built_is_not_taken() throws SQLException {
        postgres.execute("CREATE TABLE t (a int NOT NULL); INSERT INTO t VALUES (1), (1)");
        try (Connection c = postgres.connect();
                Statement statement = c.createStatement()) {
            assertThatThrownBy(() -> statement.execute("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"))
                    .isInstanceOf(SQLException.class);
        }
        assertThat(describe("t").key()).isEmpty();
        assertThat(describe("t").indexes()).isEmpty();
    }

    @Test
    void the_key_of_a_table_others_inherit_from_proves_nothing() {
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child () INHERITS (t);
                INSERT INTO t VALUES (1); INSERT INTO child VALUES (1)""");
        assertThat(describe("t").key()).isEmpty();
        postgres.execute("DROP TABLE child");
        assertThat(describe("t").key()).containsExactly("id");
    }

    @Test
    void only_what_the_user_may_read_is_discovered_and_the_rest_is_refused_by_name() {
        postgres.execute("""
                CREATE TABLE mine (id int PRIMARY KEY); CREATE TABLE secret (id int PRIMARY KEY);
                CREATE TABLE part (id int PRIMARY KEY, open text, closed text);
                CREATE SCHEMA locked; CREATE TABLE locked.t (id int);
                DROP ROLE IF EXISTS catalog_reader; CREATE ROLE catalog_reader LOGIN;
                GRANT SELECT ON mine TO catalog_reader; GRANT SELECT (id, open) ON part TO catalog_reader;
                GRANT SELECT ON locked.t TO catalog_reader""");
        SourceConfig c = postgres.config();
        SourceConfig reader = new SourceConfig(
                c.type(),
                c.host(),
                c.port(),
                "catalog_reader",
                "",
                c.database(),
                c.defaultSchema(),
                c.options(),
                1,
                c.connectTimeout(),
                c.statementTimeout());
        try (PostgresConnections limited = new PostgresConnections(reader)) {
            assertThat(limited.read("t", PostgresCatalog::discover))
                    .extracting(t -> t.id().name())
                    .containsExactly("mine", "part");
            assertThat(limited.read("t", s -> PostgresCatalog.describe(s, "part", "public"))
                            .columns())
                    .extracting(SourceColumn::name)
                    .containsExactly("id", "open");
            for (String name : List.of("secret", "locked.t")) {
                assertFails(
                        () -> limited.read("t", s -> PostgresCatalog.describe(s, name, "public")),
                        Fault.SOURCE_PERMISSION,
                        name);
            }
        } finally {
            postgres.execute("DROP OWNED BY catalog_reader; DROP ROLE catalog_reader");
        }
    }

    @Test
    void sizes_are_estimates_and_unknown_until_somebody_counted() {
        postgres.execute("""
                CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 10000);
                CREATE TABLE empty (id int); CREATE VIEW v AS SELECT * FROM t;
                CREATE TABLE p (id int) PARTITION BY RANGE (id);
                CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (5000);
                CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (5000) TO (20000);
                INSERT INTO p SELECT id FROM t""");
        assertThat(describe("empty").estimatedRows()).isEqualTo(-1);
        postgres.execute("ANALYZE");
        assertThat(describe("t").estimatedRows()).isEqualTo(10_000);
        assertThat(describe("t").estimatedBytes()).isBetween(300_000L, 500_000L);
        assertThat(describe("p").estimatedRows()).isEqualTo(10_000);
        assertThat(describe("p").estimatedBytes()).isBetween(300_000L, 500_000L);
        assertThat(describe("empty").estimatedRows()).isZero();
        assertThat(describe("v").estimatedRows()).isEqualTo(-1);
        assertThat(describe("v").estimatedBytes()).isEqualTo(-1);
    }

    @Test
    void a_table_that_a_migration_has_locked_does_not_hold_up_the_list() throws SQLException {
        postgres.execute("CREATE TABLE busy (id int PRIMARY KEY); CREATE TABLE free (id int PRIMARY KEY)");
        try (Connection c = postgres.connect();
                Statement statement = c.createStatement()) {
            c.setAutoCommit(false);
            statement.execute("LOCK TABLE busy IN ACCESS EXCLUSIVE MODE");
            assertThat(discover()).hasSize(2);
            assertThat(describe("busy").key()).containsExactly("id");
        }
    }

    private SourceTable describe(String name) {
        return connections.read("t", c -> PostgresCatalog.describe(c, name, "public"));
    }

    private List<SourceTable> discover() {
        return connections.read("t", PostgresCatalog::discover);
    }

    private static void assertFails(Runnable call, Fault fault, String... mentioned) {
        assertThatThrownBy(call::run).isInstanceOfSatisfying(PerigeeException.class, e -> {
            assertThat(e.fault()).as(e.getMessage()).isEqualTo(fault);
            for (String part : mentioned) assertThat(e.getMessage()).contains(part);
        });
    }
}
