package dev.perigee.store;

import static dev.perigee.store.TestStores.ENDLESS_INSERT;
import static dev.perigee.store.TestStores.count;
import static dev.perigee.store.TestStores.exec;
import static dev.perigee.store.TestStores.fill;
import static dev.perigee.store.TestStores.holdWriter;
import static dev.perigee.store.TestStores.insert;
import static dev.perigee.store.TestStores.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GroupCommitTest {
    private static final Duration SHORT = Duration.ofMillis(100);

    @TempDir
    Path folder;

    private Store store;

    @BeforeEach
    void open() {
        store = TestStores.open(folder);
    }

    @AfterEach
    void close() {
        store.close();
    }

    /// The group's time may be over before the second of them runs, on a busy machine. Then it is tried again.
    @Test
    void writes_that_wait_together_become_visible_together() {
        int tries = 1;
        while (!areVisibleTogether(2L * tries)) assertThat(++tries).isLessThan(100);
        assertThat(count(store)).isEqualTo(2L * tries);
    }

    /// @param key of the second of the two
    /// @return whether the first of them was neither seen nor done while the second ran
    private boolean areVisibleTogether(long key) {
        long before = count(store);
        // The hold is the group's first write; the rest join its transaction once it is released.
        CountDownLatch release = holdWriter(store);
        CompletableFuture<Long> first = store.submit(insert(key - 1));
        CountDownLatch secondRuns = new CountDownLatch(1);
        CountDownLatch looked = new CountDownLatch(1);
        CompletableFuture<Long> second = store.submit(tx -> {
            secondRuns.countDown();
            TestStores.await(looked);
            return insert(key).run(tx);
        });
        release.countDown();
        TestStores.await(secondRuns);
        boolean isDone = first.isDone();
        boolean isSeen = count(store) > before;
        looked.countDown();
        assertThat(first.join()).isEqualTo(key - 1);
        assertThat(second.join()).isEqualTo(key);
        if (isDone) assertThat(isSeen).as("what is done is seen").isTrue();
        return !isDone && !isSeen;
    }

    @Test
    void a_write_that_fails_undoes_itself_and_nothing_else() {
        CountDownLatch release = holdWriter(store);
        List<CompletableFuture<Long>> good = new ArrayList<>();
        List<CompletableFuture<Long>> bad = new ArrayList<>();
        for (int i = 1; i <= 20; i++) {
            long key = i;
            good.add(store.submit(insert(key)));
            bad.add(store.submit(tx -> {
                insert(1000 + key).run(tx);
                return insert(key).run(tx);
            }));
        }
        release.countDown();
        for (CompletableFuture<Long> write : good) write.join();
        for (CompletableFuture<Long> write : bad) assertThat(faultOf(write)).isEqualTo(Fault.CONSTRAINT);
        assertThat(number(store, "SELECT count(*) || '' FROM t WHERE k <= 20")).isEqualTo(20);
        assertThat(count(store)).isEqualTo(20);
    }

    @Test
    void what_work_throws_reaches_its_caller_as_it_was_thrown() {
        IllegalArgumentException thrown = new IllegalArgumentException("no");
        assertThatThrownBy(() -> store.write(tx -> {
                    insert(1).run(tx);
                    throw thrown;
                }))
                .isSameAs(thrown);
        assertThat(count(store)).isZero();
    }

    @Test
    void an_interrupted_write_leaves_its_neighbours_whole() {
        CountDownLatch release = holdWriter(store);
        List<CompletableFuture<Long>> neighbours = new ArrayList<>();
        AtomicInteger unlimitedRuns = new AtomicInteger();
        neighbours.add(store.submit(tx -> {
            unlimitedRuns.incrementAndGet();
            return insert(1).run(tx);
        }));
        neighbours.add(limited(Duration.ofSeconds(20), insert(2)));
        neighbours.add(limited(Duration.ofSeconds(20), insert(3)));
        CompletableFuture<Long> endless = limited(SHORT, tx -> {
            insert(99).run(tx);
            tx.connection().exec(ENDLESS_INSERT);
            return 99L;
        });
        neighbours.add(limited(Duration.ofSeconds(20), insert(4)));
        neighbours.add(store.submit(insert(5)));
        release.countDown();
        for (CompletableFuture<Long> neighbour : neighbours) neighbour.join();
        assertThatThrownBy(endless::join)
                .hasCauseInstanceOf(PerigeeException.class)
                .hasMessageContaining("TIME_LIMIT")
                .hasMessageContaining("100 ms")
                .hasMessageContaining("Nothing was written");
        assertThat(number(store, "SELECT group_concat(k, '') FROM (SELECT k FROM t ORDER BY k)"))
                .isEqualTo(12345);
        assertThat(unlimitedRuns).hasValue(1);
    }

    @Test
    void a_limit_ends_work_that_is_between_statements_too() {
        assertThatThrownBy(() -> store.write(SHORT, tx -> {
                    while (true) tx.statement("INSERT INTO t (v) VALUES (1)").run();
                }))
                .satisfies(e -> assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.TIME_LIMIT));
        assertThat(count(store)).isZero();
        assertThat(store.write(Duration.ofSeconds(20), insert(1))).isEqualTo(1);
    }

    @Test
    void a_full_disk_fails_the_write_that_filled_it_and_the_store_lives_on() {
        exec(store, "PRAGMA max_page_count = 30");
        for (long key = 1; key <= 3; key++) store.write(insert(key));
        assertThatThrownBy(() -> store.write(tx -> {
                    fill(tx, 2 << 20);
                    return null;
                }))
                .satisfies(e -> assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.DISK_FULL));
        store.write(insert(4));
        exec(store, "PRAGMA max_page_count = 100000");
        store.write(tx -> {
            fill(tx, 2 << 20);
            return null;
        });
        assertThat(count(store)).isEqualTo(5);
    }

    @Test
    void a_write_that_rolls_the_transaction_back_fails_its_neighbours_by_name() {
        CountDownLatch release = holdWriter(store);
        CompletableFuture<Long> before = store.submit(insert(1));
        CompletableFuture<Object> conflict = store.submit(tx -> {
            tx.statement("INSERT INTO t VALUES (2, 0)").run();
            tx.statement("INSERT OR ROLLBACK INTO t VALUES (2, 0)").run();
            return null;
        });
        CompletableFuture<Long> after = store.submit(insert(3));
        release.countDown();
        assertThat(faultOf(conflict)).isEqualTo(Fault.CONSTRAINT);
        after.join();
        boolean hasFirst = number(store, "SELECT count(*) FROM t WHERE k = 1") == 1;
        // Where it shared the transaction it is lost and says so; where not it is kept: never the one without the
        // other.
        assertThat(before.isCompletedExceptionally()).isEqualTo(!hasFirst);
        if (!hasFirst) assertThat(faultOf(before)).isEqualTo(Fault.BUSY);
        assertThat(number(store, "SELECT count(*) FROM t WHERE k = 2")).isZero();
    }

    @Test
    void work_that_commits_or_rolls_back_by_itself_is_found_out() {
        for (String control : List.of("COMMIT", "ROLLBACK")) {
            assertThatThrownBy(() -> store.write(tx -> {
                        tx.connection().exec(control);
                        return null;
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("ended the transaction");
        }
        int tries = 1;
        while (!isFoundOut(tries)) assertThat(++tries).isLessThan(100);
        assertThat(count(store)).isEqualTo(tries);
    }

    /// It is found out by its neighbours: alone, as it is where the group's time was over before, it does no harm.
    private boolean isFoundOut(long key) {
        CountDownLatch release = holdWriter(store);
        CompletableFuture<Object> sly = store.submit(tx -> {
            tx.connection().exec("COMMIT; BEGIN");
            return null;
        });
        CompletableFuture<Long> after = store.submit(insert(key));
        release.countDown();
        assertThat(after.join()).isEqualTo(key);
        return sly.isCompletedExceptionally();
    }

    @Test
    void work_that_goes_on_after_the_transaction_was_undone_writes_nothing() {
        assertThatThrownBy(() -> store.write(tx -> {
                    insert(1).run(tx);
                    try {
                        tx.statement("INSERT OR ROLLBACK INTO t VALUES (1, 0)").run();
                    } catch (PerigeeException _) {
                        // Goes on as if nothing were.
                    }
                    return insert(2).run(tx);
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(count(store)).isZero();
    }

    @Test
    void a_cancelled_write_that_had_not_begun_is_left_out() {
        CountDownLatch release = holdWriter(store);
        CompletableFuture<Long> cancelled = store.submit(insert(1));
        CompletableFuture<Long> kept = store.submit(insert(2));
        cancelled.cancel(false);
        release.countDown();
        kept.join();
        assertThat(number(store, "SELECT sum(k) FROM t")).isEqualTo(2);
    }

    private <T> CompletableFuture<T> limited(Duration limit, TransactionWork<T> work) {
        CountDownLatch queued = new CountDownLatch(1);
        int before = store.stats().queuedWrites();
        CompletableFuture<T> future = CompletableFuture.supplyAsync(
                () -> {
                    queued.countDown();
                    return store.write(limit, work);
                },
                task -> Thread.ofPlatform().start(task));
        TestStores.await(queued);
        while (store.stats().queuedWrites() == before) Thread.onSpinWait();
        return future;
    }

    private static Fault faultOf(CompletableFuture<?> future) {
        return future.handle((_, e) -> e instanceof PerigeeException p ? p.fault() : null)
                .join();
    }
}
