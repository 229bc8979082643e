package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.LogSink;
import dev.perigee.source.LogTable;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The log of a real server: what a sink is told, what is refused, and what becomes of slot and publication.
class PostgresLogTest {
    private TestPostgres postgres;
    private PostgresSource source;
    private SourceLog log;
    private String name;

    @BeforeEach
    void create() {
        postgres = TestPostgres.create();
        source = new PostgresSource(postgres.config());
        log = source.log().orElseThrow();
        name = postgres.database() + "_log";
    }

    @AfterEach
    void drop() {
        log.drop(name);
        source.close();
        postgres.close();
    }

    @Test
    void every_kind_of_change_of_the_added_tables_is_told_and_no_other() {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY)");
        postgres.execute("CREATE TABLE b (id int REFERENCES a, v text); ALTER TABLE b REPLICA IDENTITY FULL");
        postgres.execute("ALTER TABLE a ALTER v SET STORAGE EXTERNAL; ALTER TABLE b ALTER v SET STORAGE EXTERNAL");
        Recorder recorder = follow("a", "b");
        postgres.execute("INSERT INTO a VALUES (1, repeat('x', 9000)), (2, 'two'); INSERT INTO other VALUES (1)");
        postgres.execute("INSERT INTO b VALUES (1, repeat('y', 9000))");
        postgres.execute("BEGIN; INSERT INTO a VALUES (3, 'no'); ROLLBACK");
        postgres.execute("UPDATE a SET id = 20 WHERE id = 2; UPDATE a SET id = id WHERE id = 1; UPDATE b SET id = 20");
        postgres.execute("DELETE FROM b; UPDATE a SET id = 10 WHERE id = 1; DELETE FROM a WHERE id = 20");
        postgres.execute("TRUNCATE a CASCADE");
        read(recorder, () -> recorder.told.contains("empty a,b"));
        assertThat(recorder.told)
                .containsExactly(
                        "a + 1,x*9000",
                        "a + 2,two",
                        "commit",
                        "b + 1,y*9000",
                        "commit",
                        "a - 2,null",
                        "a + 20,two",
                        "a ~ [0] 1,null,1",
                        "b - 1,null",
                        "b + 20,y*9000",
                        "commit",
                        "b - 20,null",
                        "a moved ~ [0] 10,null,1",
                        "a - 20,null",
                        "commit",
                        "empty a,b");
    }

    @Test
    void what_was_not_acknowledged_is_told_again_and_only_that() throws SQLException {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY, v text)");
        Recorder first = follow("a");
        for (int id = 1; id <= 3; id++) postgres.execute("INSERT INTO a VALUES (%d, 'v')".formatted(id));
        try (SourceLog.Reader reader = log.open(name, first)) {
            await().until(() -> {
                while (reader.readPending()) {
                    // the recorder writes down
                }
                return first.ends.size() == 3;
            });
            reader.acknowledge(first.ends.get(1));
            await().until(() -> log.standing(name).orElseThrow().confirmed() == first.ends.get(1));
            assertThatThrownBy(() -> log.open(name, new Recorder(Map.of())))
                    .isInstanceOf(PerigeeException.class)
                    .hasMessageContaining("pg_terminate_backend")
                    .extracting("fault")
                    .isEqualTo(Fault.SOURCE_BUSY);
        }
        await().until(() -> number("SELECT count(active_pid) FROM pg_replication_slots WHERE slot_name = '%s'") == 0);
        Recorder second = new Recorder(first.tables);
        read(second, () -> second.ends.size() == 1);
        assertThat(second.told).containsExactly("a + 3,v", "commit");
        assertThat(log.standing(name).orElseThrow().confirmed()).isEqualTo(first.ends.get(1));
    }

    @Test
    void a_flush_is_behind_every_commit_and_reached_by_the_stream() {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY, v text)");
        Recorder recorder = follow("a");
        postgres.execute("INSERT INTO a VALUES (1, 'v')");
        long flushed = log.flush();
        try (SourceLog.Reader reader = log.open(name, recorder)) {
            await().until(() -> {
                while (reader.readPending()) {
                    // the recorder writes down
                }
                return reader.received() >= reader.reachable(flushed);
            });
        }
        assertThat(recorder.ends).hasSizeBetween(1, 2); // protocol 1 may tell of the flush as an empty transaction
        assertThat(recorder.ends.getFirst()).isLessThanOrEqualTo(flushed);
    }

    @Test
    void a_changed_definition_is_told_before_a_change_is_read_wrongly() {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY, v text)");
        for (String change : List.of(
                "ALTER TABLE a ADD w int",
                "ALTER TABLE a ALTER v TYPE varchar(20)",
                "ALTER TABLE a RENAME v TO u",
                "ALTER TABLE a DROP u",
                "ALTER TABLE a REPLICA IDENTITY NOTHING")) {
            log.drop(name);
            Recorder recorder = follow("a");
            int id = (int) number("SELECT count(*) FROM a") + 1;
            postgres.execute("INSERT INTO a (id) VALUES (%d)".formatted(id));
            try (SourceLog.Reader reader = log.open(name, recorder)) {
                await().until(() -> {
                    while (reader.readPending()) {
                        // the recorder writes down
                    }
                    return recorder.ends.size() == 1;
                });
                postgres.execute(change);
                postgres.execute("INSERT INTO a (id) VALUES (%d)".formatted(id + 1));
                await().untilAsserted(() -> assertThatThrownBy(() -> {
                            while (reader.readPending()) {
                                // the recorder throws
                            }
                        })
                        .as(change)
                        .hasMessageStartingWith("redefined a: "));
            }
            postgres.execute("ALTER TABLE a REPLICA IDENTITY DEFAULT");
        }
    }

    @Test
    void a_table_that_the_log_does_not_tell_whole_is_refused_with_the_remedy() {
        postgres.execute("""
                CREATE TABLE no_key (id int NOT NULL, v text);
                CREATE TABLE none (id int PRIMARY KEY); ALTER TABLE none REPLICA IDENTITY NOTHING;
                CREATE UNLOGGED TABLE fast (id int PRIMARY KEY);
                CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
                CREATE VIEW seen AS SELECT * FROM none;
                CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
                CREATE TABLE computed (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) VIRTUAL);
                CREATE TABLE computed_full (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) VIRTUAL);
                ALTER TABLE computed_full REPLICA IDENTITY FULL;
                CREATE TABLE indexed (id int NOT NULL UNIQUE, v text);
                ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_id_key;
                CREATE TABLE whole (id int, v text); ALTER TABLE whole REPLICA IDENTITY FULL;
                CREATE TABLE stored (id int PRIMARY KEY, v int GENERATED ALWAYS AS (id + 1) STORED)""");
        for (String table : List.of("indexed", "whole", "stored")) log.require(wanted(table));
        Map.of(
                        "no_key", "ALTER TABLE \"public\".\"no_key\" REPLICA IDENTITY FULL",
                        "none", "ALTER TABLE \"public\".\"none\" REPLICA IDENTITY FULL",
                        "fast", "SET LOGGED",
                        "parts", "partitioned",
                        "seen", "not a table",
                        "parent", "inherit",
                        "computed", "\"v\" is generated",
                        "computed_full", "REPLICA IDENTITY DEFAULT")
                .forEach((table, words) -> assertThatThrownBy(() -> log.require(wanted(table)))
                        .as(table)
                        .hasMessageContaining(words)
                        .extracting("fault")
                        .isEqualTo(Fault.INVALID_REQUEST));
    }

    @Test
    void a_role_without_the_rights_is_told_which_to_grant() {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY)");
        String role = postgres.database() + "_role";
        postgres.execute("CREATE ROLE %s LOGIN; GRANT SELECT ON a TO %1$s".formatted(role));
        try (PostgresSource limited = new PostgresSource(postgres.configAs(role))) {
            LogTable a = wanted("a");
            SourceLog asRole = limited.log().orElseThrow();
            refused(asRole, a, "GRANT CREATE ON DATABASE");
            postgres.execute("GRANT CREATE ON DATABASE %s TO %s".formatted(postgres.database(), role));
            refused(asRole, a, "GRANT \"postgres\" TO \"%s\"".formatted(role));
            postgres.execute("ALTER TABLE a OWNER TO " + role);
            refused(asRole, a, "ALTER ROLE");
            postgres.execute("ALTER ROLE %s REPLICATION".formatted(role));
            asRole.require(a);
            asRole.create(name);
            asRole.add(name, a.table());
            asRole.add(name, a.table());
            asRole.flush();
            asRole.remove(name, a.table());
            asRole.remove(name, a.table());
            asRole.drop(name);
        }
        postgres.execute("DROP OWNED BY %1$s; DROP ROLE %1$s".formatted(role));
    }

    @Test
    void slot_and_publication_are_ours_by_name_and_a_broken_slot_says_why() {
        assertThat(log.standing(name)).isEmpty();
        log.create(name);
        log.create(name);
        assertThat(log.standing(name).orElseThrow().broken()).isEmpty();
        assertThat(log.history().system()).isNotEmpty();
        postgres.execute("DROP PUBLICATION " + name);
        assertThat(log.standing(name).orElseThrow().broken().orElseThrow()).contains("publication");
        log.drop(name);
        assertThat(log.standing(name)).isEmpty();
        postgres.execute("SELECT pg_create_logical_replication_slot('%s', 'test_decoding')".formatted(name));
        assertThat(log.standing(name).orElseThrow().broken().orElseThrow()).contains("something else");
        log.drop(name);
        assertThat(log.standing(name)).isPresent();
        postgres.execute("SELECT pg_drop_replication_slot('%s')".formatted(name));
        assertThatThrownBy(() -> log.open(name, new Recorder(Map.of())))
                .hasMessageContaining(name)
                .hasMessageContaining("does not exist");
    }

    @Test
    void what_a_follower_left_behind_is_found_by_the_beginning_of_its_name() {
        log.create(name);
        postgres.execute("CREATE PUBLICATION %s_only_published; CREATE PUBLICATION someone_elses".formatted(name));
        assertThat(log.names(name)).containsExactly(name, name + "_only_published");
        assertThat(log.names(name + "%")).isEmpty();
        log.drop(name + "_only_published");
        assertThat(log.names(name)).containsExactly(name);
    }

    @Test
    void a_slot_that_the_server_invalidated_is_named_with_the_setting() throws IOException {
        try (EmbeddedPostgres server = TestPostgres.server()
                        .setServerConfig("max_slot_wal_keep_size", "1MB")
                        .start();
                PostgresSource own = new PostgresSource(TestPostgres.config(server.getPort(), "postgres"))) {
            SourceLog ownLog = own.log().orElseThrow();
            ownLog.create(name);
            assertThat(ownLog.standing(name).orElseThrow().broken()).isEmpty();
            try (Connection connection = server.getPostgresDatabase().getConnection();
                    Statement statement = connection.createStatement()) {
                for (int i = 0; i < 4; i++) {
                    statement.execute("SELECT pg_logical_emit_message(true, 'm', 'm'); SELECT pg_switch_wal()");
                }
                statement.execute("CHECKPOINT");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            assertThat(ownLog.standing(name).orElseThrow().broken().orElseThrow())
                    .contains("max_slot_wal_keep_size");
            assertThatThrownBy(() -> ownLog.open(name, new Recorder(Map.of())))
                    .hasMessageContaining(name)
                    .hasMessageContaining("max_slot_wal_keep_size");
            ownLog.drop(name);
            ownLog.create(name);
            assertThat(ownLog.standing(name).orElseThrow().broken()).isEmpty();
        }
    }

    @Test
    void a_server_that_does_not_keep_a_logical_log_is_told_the_setting() throws IOException {
        try (EmbeddedPostgres server = TestPostgres.server()
                        .setServerConfig("wal_level", "replica")
                        .start();
                PostgresSource own = new PostgresSource(TestPostgres.config(server.getPort(), "postgres"))) {
            postgres.execute("CREATE TABLE a (id int PRIMARY KEY)");
            assertThatThrownBy(() -> own.log().orElseThrow().require(wanted("a")))
                    .hasMessageContaining("wal_level")
                    .hasMessageContaining("rds.logical_replication");
        }
    }

    private static void refused(SourceLog log, LogTable table, String words) {
        assertThatThrownBy(() -> log.require(table))
                .hasMessageContaining(words)
                .extracting("fault")
                .isEqualTo(Fault.SOURCE_PERMISSION);
    }

    private Recorder follow(String... tables) {
        log.create(name);
        Map<Long, LogTable> wanted = new HashMap<>();
        for (String table : tables) {
            LogTable one = wanted(table);
            log.require(one);
            log.add(name, one.table());
            wanted.put(one.number(), one);
        }
        return new Recorder(wanted);
    }

    private LogTable wanted(String table) {
        return wanted(source, table, number("SELECT '%s'::regclass::oid".formatted(table)));
    }

    /// All columns of a table in the schema `public`, and the first one as its key.
    static LogTable wanted(Source source, String table, long number) {
        SourceTable described = source.describe(table);
        List<LogTable.Column> columns = described.columns().stream()
                .map(column -> new LogTable.Column(column.name(), column.identity(), column.sourceType()))
                .toList();
        return new LogTable(
                described.id(),
                number,
                columns,
                List.of(columns.getFirst().name()),
                NumericStorage.EXACT,
                TimestampStorage.ISO);
    }

    private void read(Recorder recorder, Callable<Boolean> isDone) {
        try (SourceLog.Reader reader = log.open(name, recorder)) {
            await().until(() -> {
                while (reader.readPending()) {
                    // the recorder writes down
                }
                return isDone.call();
            });
        }
    }

    private long number(String sql) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql.formatted(name))) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Writes down what a sink is told.
    static final class Recorder implements LogSink {
        final List<String> told = new ArrayList<>();
        final List<Long> ends = new ArrayList<>();
        final Map<Long, LogTable> tables;
        private final Map<Long, Recorded> targets = new HashMap<>();

        Recorder(Map<Long, LogTable> tables) {
            this.tables = tables;
            tables.forEach((number, table) -> targets.put(number, new Recorded(table)));
        }

        @Override
        public void begin(long commit, Instant committed, int transaction) {
            assertThat(committed).isAfter(Instant.now().minusSeconds(300));
        }

        @Override
        public @Nullable Target target(long number) {
            return targets.get(number);
        }

        @Override
        public void truncate(List<Long> numbers) {
            told.add("empty "
                    + numbers.stream()
                            .filter(tables::containsKey)
                            .map(number -> tables.get(number).table().name())
                            .sorted()
                            .collect(Collectors.joining(",")));
        }

        @Override
        public void commit(long end) {
            if (!told.isEmpty()
                    && !told.getLast().equals("commit")
                    && !told.getLast().startsWith("empty")) {
                told.add("commit");
            }
            ends.add(end);
        }

        private final class Recorded implements Target {
            private final LogTable wanted;
            private final Batch whole;
            private final Batch part;

            Recorded(LogTable wanted) {
                this.wanted = wanted;
                int columns = wanted.columns().size();
                this.whole = new Batch(columns, 10, 1 << 20);
                this.part = new Batch(columns + wanted.key().size(), 10, 1 << 20);
            }

            @Override
            public LogTable wanted() {
                return wanted;
            }

            @Override
            public Batch whole() {
                whole.clear();
                return whole;
            }

            @Override
            public void row() {
                whole.endRow();
                tell(" + ", whole, wanted.columns().size());
            }

            @Override
            public void leaving() {
                whole.endLeavingRow();
                tell(" - ", whole, wanted.columns().size());
            }

            @Override
            public Batch part(Part of) {
                part.clear();
                return part;
            }

            @Override
            public void partial(Part of) {
                part.endRow();
                tell(
                        (of.isMoved() ? " moved" : "") + " ~ "
                                + List.copyOf(of.told().stream().boxed().toList()) + " ",
                        part,
                        wanted.columns().size() + wanted.key().size());
            }

            @Override
            public void refused(RefusedRow row) {
                told.add(wanted.table().name() + " refused " + row.key());
            }

            @Override
            public void redefined(String why) {
                throw new IllegalStateException(
                        "redefined %s: %s".formatted(wanted.table().name(), why));
            }

            private void tell(String kind, Batch batch, int cells) {
                List<String> texts = new ArrayList<>();
                for (int cell = 0; cell < cells; cell++) {
                    String text = switch (batch.value(0, cell)) {
                        case Value.Null _ -> "null";
                        case Value.Int(long number) -> String.valueOf(number);
                        case Value.Text(String letters) -> letters;
                        case Value other -> other.toString();
                    };
                    texts.add(text.length() > 100 ? text.charAt(0) + "*" + text.length() : text);
                }
                told.add(wanted.table().name() + kind + String.join(",", texts));
            }
        }
    }
}
