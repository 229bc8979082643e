package dev.perigee.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which statements SQLite's own program proves to be lookups, and for how long that is remembered.
class PointReadsTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final String BY_KEY = "SELECT * FROM item WHERE id = ?1";

    @TempDir
    Path folder;

    private final PointReads points = new PointReads();
    private Store store;

    @BeforeEach
    void open() {
        store = Store.open(StoreConfig.of(folder));
        exec("""
                CREATE TABLE item (id INTEGER PRIMARY KEY, code TEXT UNIQUE, size, note TEXT);
                CREATE TABLE part (item INTEGER, number INTEGER, name TEXT, PRIMARY KEY (item, number)) WITHOUT ROWID;
                CREATE VIEW shown AS SELECT id, code FROM item;
                INSERT INTO item VALUES (1, 'a', 1, NULL), (2, 'b', 2, 'two')""");
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void exec(String sql) {
        store.write(tx -> {
            tx.connection().exec(sql);
            return true;
        });
    }

    /// Runs it twice as a client does, and learns what it is.
    private void learn(String sql) {
        store.read(LIMIT, tx -> {
            CallerConnection lent =
                    new CallerConnection(tx.connection(), new ProtectedTables(), _ -> {}, () -> ChangeObserver.NONE);
            StatementCall call =
                    new StatementCall(sql, List.of(new Value.Int(1)), Map.of(), Where.INTERNAL, Caller.CLIENT, false);
            StatementRun run = new StatementRun(
                    Caller.CLIENT, false, List.of(call), new RowReader(new Cancellation()), new Nowhere());
            run.read(lent);
            assertThat(run.repeated()).isEmpty();
            run.read(lent);
            run.repeated().ifPresent(statement -> points.learn(tx, statement));
            tx.connection().authorizer(null);
            return true;
        });
    }

    private boolean isPoint(String sql) {
        return store.read(LIMIT, tx -> points.isPoint(tx, sql));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                BY_KEY,
                "SELECT id, note FROM item WHERE code = ?1 LIMIT 1",
                "SELECT * FROM item WHERE rowid = ?1 AND size > 3 AND note IS NOT NULL",
                "SELECT p.*, i.code FROM item AS i JOIN part AS p ON p.item = i.id AND p.number = 1 WHERE i.id = ?1",
                "SELECT ?1 + 1",
            })
    void a_lookup_by_key_is_one(String sql) {
        assertThat(points.mayBe(sql)).isFalse();
        learn(sql);
        assertThat(points.mayBe(sql)).isTrue();
        assertThat(isPoint(sql)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM item WHERE size = ?1",
                "SELECT * FROM part WHERE item = ?1",
                "SELECT * FROM item WHERE id IN (?1, 2)",
                "SELECT * FROM item WHERE id > ?1",
                "SELECT count(*) FROM item WHERE id = ?1",
                "SELECT upper(code) FROM item WHERE id = ?1",
                "SELECT code FROM shown WHERE id = ?1",
                "SELECT id || code FROM item WHERE id = ?1",
                "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n",
                "EXPLAIN SELECT * FROM item WHERE id = ?1",
            })
    void what_loops_calls_a_function_or_reads_a_view_is_none(String sql) {
        learn(sql);
        assertThat(points.mayBe(sql)).isFalse();
        assertThat(isPoint(sql)).isFalse();
    }

    @Test
    void a_long_text_is_not_looked_at_and_one_that_needs_many_instructions_is_none() {
        String longer = BY_KEY + " -- " + "x".repeat(2048);
        learn(longer);
        assertThat(points.mayBe(longer)).isFalse();
        String wide = "SELECT " + "1, ".repeat(600) + "?1";
        learn(wide);
        assertThat(points.mayBe(wide)).isFalse();
    }

    @Test
    void it_holds_for_the_schema_it_was_learnt_for() {
        learn(BY_KEY);
        exec("ALTER TABLE item RENAME TO kept");
        exec("CREATE VIEW item AS SELECT id, upper(code) AS code FROM kept");
        assertThat(points.mayBe(BY_KEY)).as("by its text alone").isTrue();
        assertThat(isPoint(BY_KEY)).isFalse();
        learn(BY_KEY);
        assertThat(points.mayBe(BY_KEY)).isFalse();
    }

    @Test
    void one_whose_answer_was_large_is_none_from_then_on() {
        learn(BY_KEY);
        points.isLarge(BY_KEY);
        assertThat(points.mayBe(BY_KEY)).isFalse();
        learn(BY_KEY);
        assertThat(points.mayBe(BY_KEY)).isFalse();
    }

    @Test
    void texts_that_are_remembered_have_a_bound() {
        learn(BY_KEY);
        IntStream.range(0, 511).forEach(i -> learn("SELECT ?1, " + i));
        assertThat(points.mayBe(BY_KEY)).isTrue();
        learn("SELECT ?1, 'one more'");
        assertThat(points.mayBe(BY_KEY))
                .as("all are forgotten, and learnt again")
                .isFalse();
        assertThat(points.mayBe("SELECT ?1, 'one more'")).isTrue();
    }

    private static final class Nowhere implements StatementRun.Answers, RowReader.Target {
        @Override
        public void reads(Set<String> copies) {}

        @Override
        public RowReader.Target rows(int index) {
            return this;
        }

        @Override
        public void columns(List<String> names) {}

        @Override
        public boolean row(SqliteStatement statement, int columnCount) {
            return true;
        }

        @Override
        public void end(int index, Meta meta) {}
    }
}
