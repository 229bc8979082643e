package dev.perigee.store;

import static dev.perigee.store.TestStores.ENDLESS_INSERT;
import static dev.perigee.store.TestStores.ENDLESS_SELECT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One group at a time, by hand: what shares a transaction is known here, not left to the clock.
class GroupTest {
    private static final long UNLIMITED = PendingWrite.NO_LIMIT;
    private static final long LONG_LIMIT = Duration.ofSeconds(30).toNanos();
    private static final long SHORT_LIMIT = Duration.ofMillis(50).toNanos();

    @TempDir
    Path folder;

    private Watchdog watchdog;
    private final Queue<PendingWrite<?>> waiting = new ArrayDeque<>();
    private final List<String> log = new ArrayList<>();
    private SqliteConnection connection;
    private SqliteConnection other;
    private StatementCache statements;
    private GroupCommit group;

    @BeforeEach
    void open() {
        StoreConfig config = StoreConfig.of(folder);
        watchdog = new Watchdog(UnaryOperator.identity());
        connection = Connections.writer(folder.resolve("t.db"), config);
        connection.exec("CREATE TABLE t (k INTEGER PRIMARY KEY, v)");
        other = Connections.reader(folder.resolve("t.db"), config);
        statements = new StatementCache(connection);
        OpenTransaction transaction =
                new OpenTransaction("test", connection, statements, watchdog.guard(connection, () -> 0));
        group = new GroupCommit(
                "test", connection, transaction, () -> ChangeObserver.NONE, () -> {}, Duration.ofHours(1));
    }

    @AfterEach
    void close() {
        statements.close();
        connection.close();
        other.close();
        watchdog.close();
    }

    @Test
    void nothing_is_visible_or_acknowledged_before_the_one_commit_of_all() {
        PendingWrite<?> first = add("a", UNLIMITED, tx -> TestStores.insert(1).run(tx));
        PendingWrite<?> second = add("b", UNLIMITED, tx -> {
            assertThat(first.future()).isNotDone();
            assertThat(keys(other)).isEmpty();
            return TestStores.insert(2).run(tx);
        });
        run();
        assertThat(second.future().join()).isEqualTo(2L);
        assertThat(first.future()).isCompleted();
        assertThat(keys(other)).containsExactly(1L, 2L);
    }

    @ParameterizedTest
    @ValueSource(strings = {ENDLESS_INSERT, ENDLESS_SELECT})
    void a_time_limit_takes_only_its_own_write_and_runs_only_limited_neighbours_again(String endless) {
        PendingWrite<?> unlimited = add("unlimited", UNLIMITED, TestStores.insert(1));
        PendingWrite<?> limited = add("limited", LONG_LIMIT, TestStores.insert(2));
        PendingWrite<?> slow = add("slow", SHORT_LIMIT, tx -> {
            TestStores.insert(3).run(tx);
            tx.connection().exec(endless);
            return 3L;
        });
        PendingWrite<?> after = add("after", UNLIMITED, TestStores.insert(4));
        run();
        assertThat(List.of(unlimited, limited, after))
                .allMatch(write -> write.future().isDone() && !write.future().isCompletedExceptionally());
        assertThat(faultOf(slow)).isEqualTo(Fault.TIME_LIMIT);
        assertThat(keys(other)).containsExactly(1L, 2L, 4L);
        // An interrupted SELECT leaves the transaction alone, an INSERT takes it with it.
        if (endless.equals(ENDLESS_INSERT)) {
            assertThat(log).containsExactly("unlimited", "limited", "slow", "limited", "after");
        } else {
            assertThat(log).containsExactly("unlimited", "limited", "slow", "after");
        }
    }

    @Test
    void a_full_disk_fails_the_unlimited_neighbours_that_shared_it_and_runs_the_limited_ones_again() {
        connection.exec("PRAGMA max_page_count = 20");
        PendingWrite<?> limited = add("limited", LONG_LIMIT, TestStores.insert(3));
        PendingWrite<?> unlimited = add("unlimited", UNLIMITED, TestStores.insert(1));
        // OR ROLLBACK makes the statement give up the whole transaction, as a failing disk does.
        PendingWrite<?> big = add("big", UNLIMITED, tx -> {
            tx.connection().exec("INSERT OR ROLLBACK INTO t (v) VALUES (zeroblob(10000000))");
            return null;
        });
        PendingWrite<?> after = add("after", LONG_LIMIT, TestStores.insert(2));
        run();
        assertThat(faultOf(big)).isEqualTo(Fault.DISK_FULL);
        assertThat(after.future()).isCompleted();
        assertThat(keys(other)).containsExactly(2L, 3L);
        assertThat(faultOf(unlimited)).isEqualTo(Fault.DISK_FULL);
        assertThat(limited.future()).isCompleted();
        assertThat(log).containsExactly("limited", "unlimited", "big", "limited", "after");
    }

    @Test
    void a_commit_that_fails_fails_all_of_its_group_and_the_next_group_is_written() {
        connection.exec("PRAGMA foreign_keys = ON");
        connection.exec("CREATE TABLE child (k REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED)");
        PendingWrite<?> good = add("good", UNLIMITED, TestStores.insert(1));
        PendingWrite<?> orphan = add("orphan", UNLIMITED, tx -> {
            tx.statement("INSERT INTO child VALUES (99)").run();
            return null;
        });
        run();
        assertThat(faultOf(good)).isEqualTo(Fault.CONSTRAINT);
        assertThat(faultOf(orphan)).isEqualTo(Fault.CONSTRAINT);
        assertThat(keys(other)).isEmpty();
        PendingWrite<?> next = add("next", UNLIMITED, TestStores.insert(2));
        run();
        assertThat(next.future()).isCompleted();
        assertThat(keys(other)).containsExactly(2L);
    }

    @Test
    void a_neighbour_that_ended_the_transaction_makes_the_others_fail_rather_than_guess() {
        PendingWrite<?> before = add("before", UNLIMITED, TestStores.insert(1));
        PendingWrite<?> sly = add("sly", UNLIMITED, tx -> {
            tx.connection().exec("ROLLBACK");
            return null;
        });
        PendingWrite<?> after = add("after", UNLIMITED, TestStores.insert(2));
        run();
        assertThat(faultOf(before)).isEqualTo(Fault.INTERNAL);
        assertThat(sly.future()).isCompletedExceptionally();
        assertThat(after.future()).isCompleted();
        assertThat(keys(other)).containsExactly(2L);
    }

    private <T> PendingWrite<T> add(String name, long limitNanos, TransactionWork<T> work) {
        PendingWrite<T> write = new PendingWrite<>(
                tx -> {
                    log.add(name);
                    return work.run(tx);
                },
                limitNanos);
        waiting.add(write);
        return write;
    }

    private void run() {
        group.run(waiting.remove(), waiting::poll);
        assertThat(waiting).isEmpty();
        assertThat(connection.isAutocommit()).isTrue();
    }

    private static List<Long> keys(SqliteConnection connection) {
        List<Long> keys = new ArrayList<>();
        try (SqliteStatement select = connection.prepare("SELECT k FROM t ORDER BY k")) {
            while (select.step()) keys.add(select.intAt(0));
        }
        return keys;
    }

    private static Fault faultOf(PendingWrite<?> write) {
        return write.future()
                .handle((_, e) -> e instanceof PerigeeException p ? p.fault() : null)
                .join();
    }
}
