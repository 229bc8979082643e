package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.PostgresTypesTest.Case;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.log.LogChanges;
import dev.perigee.source.postgres.log.LogRelation;
import dev.perigee.source.postgres.log.LogStream;
import dev.perigee.source.postgres.log.LogTuple;
import dev.perigee.source.postgres.log.LogValues;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.TestPostgres;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The replication stream of a real server: what it tells of each kind of change, and that its values are stored as
/// those of a pull.
class LogStreamTest {
    private TestPostgres postgres;
    private String slot;

    @BeforeEach
    void create() {
        postgres = TestPostgres.create();
        slot = postgres.database() + "_slot";
    }

    /// A database with a slot cannot be dropped.
    @AfterEach
    void drop() {
        postgres.execute("""
                SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
                WHERE slot_name = '%1$s' AND active_pid IS NOT NULL""".formatted(slot));
        await().ignoreExceptions().until(() -> {
            postgres.execute(
                    "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '%s'"
                            .formatted(slot));
            return true;
        });
        postgres.close();
    }

    @Test
    void values_of_every_type_are_stored_as_by_a_pull() throws SQLException {
        PostgresTypesTest.createTypes(postgres);
        Map<String, List<Case>> byOptions = PostgresTypesTest.cases()
                .collect(Collectors.groupingBy(
                        one -> one.numeric() + " " + one.timestamps(), TreeMap::new, Collectors.toList()));
        assertThat(byOptions).hasSize(4);
        for (List<Case> cases : byOptions.values()) {
            postgres.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY%s)"
                    .formatted(IntStream.range(0, cases.size())
                            .mapToObj(i -> ", v%d %s".formatted(i, cases.get(i).type()))
                            .collect(Collectors.joining())));
            listen("t");
            String values = cases.stream().map(one -> ", " + one.value()).collect(Collectors.joining());
            postgres.execute(
                    "INSERT INTO t VALUES (1%s); INSERT INTO t VALUES (2%s); INSERT INTO t VALUES (3); UPDATE t SET id = -id WHERE id = 1"
                            .formatted(values, values));
            Recorder recorder = new Recorder(cases.getFirst());
            try (LogStream stream = LogStream.open(postgres.config(), slot, "p's \"own\"", 0, recorder)) {
                read(stream, () -> recorder.commits == 1);
            }
            assertThat(recorder.columns).hasSize(cases.size() + 1);
            assertThat(recorder.rows).isEqualTo(pulled(recorder.columns, cases.getFirst()));
            postgres.execute("SELECT pg_drop_replication_slot('%s')".formatted(slot));
        }
    }

    @Test
    void each_kind_of_change_is_told_in_commit_order_and_what_was_rolled_back_is_not() {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int REFERENCES a, v text)");
        postgres.execute("ALTER TABLE a ALTER v SET STORAGE EXTERNAL; ALTER TABLE b REPLICA IDENTITY FULL");
        listen("a", "b");
        String large = "repeat('x', 10000)";
        postgres.execute("INSERT INTO a VALUES (1, %s), (2, 'two'); INSERT INTO b VALUES (1, 'one')".formatted(large));
        postgres.execute("BEGIN; INSERT INTO a VALUES (3, 'no'); ROLLBACK");
        postgres.execute("UPDATE a SET id = 20 WHERE id = 2; UPDATE a SET id = id WHERE id = 1");
        postgres.execute("BEGIN; SAVEPOINT s; DELETE FROM a WHERE id = 20; ROLLBACK TO s; DELETE FROM b; COMMIT");
        postgres.execute("TRUNCATE a CASCADE");
        Recorder recorder = new Recorder();
        try (LogStream stream = LogStream.open(postgres.config(), slot, "p's \"own\"", 0, recorder)) {
            read(stream, () -> recorder.commits == 4);
        }
        assertThat(recorder.told)
                .containsExactly(
                        "begin",
                        "a+ 1,x*10000",
                        "a+ 2,two",
                        "b+ 1,one",
                        "commit",
                        "begin",
                        "a~ key(2,null) 20,two",
                        "a~ 1,unchanged",
                        "commit",
                        "begin",
                        "b- row(1,one)",
                        "commit",
                        "begin",
                        "truncate a,b",
                        "commit");
    }

    @Test
    void the_server_repeats_what_was_not_acknowledged_and_only_that() {
        postgres.execute("CREATE TABLE a (id int PRIMARY KEY, v text)");
        listen("a");
        for (int id = 1; id <= 3; id++) postgres.execute("INSERT INTO a VALUES (%d, 'v')".formatted(id));
        Recorder first = new Recorder();
        try (LogStream stream = LogStream.open(postgres.config(), slot, "p's \"own\"", 0, first)) {
            read(stream, () -> first.commits == 3);
            assertThat(stream.received()).isGreaterThanOrEqualTo(first.ends.getLast());
            stream.acknowledge(first.ends.get(1));
            await().until(() -> confirmed() == first.ends.get(1));
        }
        await().until(() -> number("SELECT count(active_pid) FROM pg_replication_slots WHERE slot_name = '%s'") == 0);
        Recorder second = new Recorder();
        try (LogStream stream = LogStream.open(postgres.config(), slot, "p's \"own\"", 0, second)) {
            read(stream, () -> second.commits == 1);
        }
        assertThat(second.told).containsExactly("begin", "a+ 3,v", "commit");
        assertThat(confirmed()).isEqualTo(first.ends.get(1));
    }

    @Test
    void a_slot_that_is_missing_is_named() {
        assertThatThrownBy(() -> LogStream.open(postgres.config(), slot, "p", 0, new Recorder()))
                .isInstanceOf(PerigeeException.class)
                .hasMessageContaining("replication slot " + slot)
                .hasMessageContaining("does not exist");
    }

    private void listen(String... tables) {
        postgres.execute("DROP PUBLICATION IF EXISTS \"p's \"\"own\"\"\"");
        postgres.execute("CREATE PUBLICATION \"p's \"\"own\"\"\" FOR TABLE " + String.join(", ", tables));
        postgres.execute("SELECT pg_create_logical_replication_slot('%s', 'pgoutput')".formatted(slot));
    }

    private static void read(LogStream stream, Callable<Boolean> isDone) {
        await().until(() -> {
            while (stream.readPending()) {
                // the recorder counts
            }
            return isDone.call();
        });
    }

    private long confirmed() {
        return number("SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots WHERE slot_name = '%s'");
    }

    private long number(String sql) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql.formatted(slot))) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private Map<Value, List<Value>> pulled(List<CatalogColumn> columns, Case options) {
        List<String> names = columns.stream().map(CatalogColumn::name).toList();
        try (PostgresSource source = new PostgresSource(postgres.config());
                CollectedPages pages = new CollectedPages(names.size(), 1000)) {
            SourceTable table = source.describe("t");
            assertThat(table.columns().stream().map(SourceColumn::name)).containsAll(names);
            source.pull(
                    new Pull(
                            table,
                            names,
                            List.of("id"),
                            new Scope.Changed(Optional.empty()),
                            1000,
                            options.numeric(),
                            options.timestamps()),
                    pages);
            Map<Value, List<Value>> rows = new HashMap<>();
            pages.rows.forEach(row -> rows.put(row.getFirst(), row));
            return rows;
        }
    }

    /// Writes down what the stream tells.
    private final class Recorder implements LogChanges {
        final List<String> told = new ArrayList<>();
        final List<Long> ends = new ArrayList<>();
        final Map<Value, List<Value>> rows = new HashMap<>();
        final List<CatalogColumn> columns = new ArrayList<>();
        private final @Nullable Case options;
        private @Nullable LogValues values;
        int commits;

        Recorder() {
            this.options = null;
        }

        /// @param options how values are stored
        Recorder(Case options) {
            this.options = options;
        }

        @Override
        public void begin(long commit, Instant committed, int transaction) {
            assertThat(committed)
                    .isBetween(Instant.now().minusSeconds(300), Instant.now().plusSeconds(5));
            told.add("begin");
        }

        @Override
        public void relation(LogRelation relation) {
            if (options == null) return;
            columns.clear();
            try (Connection connection = postgres.connect()) {
                columns.addAll(PostgresCatalog.columns(connection, new TableId("public", "t")));
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            values = values(relation, columns);
        }

        private LogValues values(LogRelation relation, List<CatalogColumn> of) {
            NumericStorage numeric = options.numeric();
            TimestampStorage timestamps = options.timestamps();
            return LogValues.of(relation, of, List.of("id"), numeric, timestamps, false);
        }

        @Override
        public void insert(LogRelation relation, LogTuple row) {
            if (values != null) store(row);
            else told.add(relation.table().name() + "+ " + text(row));
        }

        @Override
        public void update(LogRelation relation, @Nullable LogTuple before, boolean isWhole, LogTuple row) {
            if (values != null) {
                List<Value> old = rows.remove(new Value.Int(1));
                BitSet told = values.told(row);
                List<Value> cells = cells(values, columns.size(), row);
                for (int i = 0; i < columns.size(); i++) if (!told.get(i)) cells.set(i, old.get(i));
                rows.put(cells.getFirst(), cells);
            } else {
                told.add("%s~ %s%s".formatted(relation.table().name(), before(before, isWhole), text(row)));
            }
        }

        @Override
        public void delete(LogRelation relation, LogTuple before, boolean isWhole) {
            told.add("%s- %s"
                    .formatted(relation.table().name(), before(before, isWhole))
                    .strip());
        }

        @Override
        public void truncate(List<LogRelation> relations) {
            told.add("truncate "
                    + relations.stream().map(one -> one.table().name()).sorted().collect(Collectors.joining(",")));
        }

        @Override
        public void commit(long end) {
            told.add("commit");
            ends.add(end);
            commits++;
        }

        private void store(LogTuple row) {
            List<Value> cells = cells(values, columns.size(), row);
            rows.put(cells.getFirst(), cells);
        }

        private static List<Value> cells(LogValues values, int count, LogTuple row) {
            try (Batch batch = new Batch(count, 1, 4L << 20)) {
                values.put(row, batch);
                batch.endRow();
                List<Value> cells = new ArrayList<>();
                for (int column = 0; column < count; column++) cells.add(batch.value(0, column));
                return cells;
            }
        }

        private static String before(@Nullable LogTuple before, boolean isWhole) {
            return before == null ? "" : "%s(%s) ".formatted(isWhole ? "row" : "key", text(before));
        }

        private static String text(LogTuple row) {
            List<String> texts = new ArrayList<>();
            for (int field = 0; field < row.count(); field++) {
                switch (row.kind(field)) {
                    case NULL -> texts.add("null");
                    case UNCHANGED -> texts.add("unchanged");
                    case TEXT -> {
                        String text =
                                new String(row.bytes(), row.offset(field), row.length(field), StandardCharsets.UTF_8);
                        texts.add(text.length() > 100 ? "x*" + text.length() : text);
                    }
                }
            }
            return String.join(",", texts);
        }
    }
}
