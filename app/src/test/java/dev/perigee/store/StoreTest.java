package dev.perigee.store;

import static dev.perigee.store.TestStores.ENDLESS_SELECT;
import static dev.perigee.store.TestStores.LONG;
import static dev.perigee.store.TestStores.count;
import static dev.perigee.store.TestStores.insert;
import static dev.perigee.store.TestStores.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteStatement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreTest {
    @TempDir
    Path folder;

    @Test
    void what_was_written_is_read_and_is_there_after_a_restart() {
        Path data = folder.resolve("new/data");
        try (Store store = TestStores.open(data)) {
            assertThat(store.write(insert(1))).isEqualTo(1);
            assertThat(count(store)).isEqualTo(1);
            assertThat(store.file()).isEqualTo(data.resolve("perigee.db"));
        }
        try (Store store = TestStores.open(data)) {
            assertThat(count(store)).isEqualTo(1);
            assertThat(store.integrityCheck(LONG)).isEmpty();
        }
    }

    @Test
    void the_file_is_in_wal_mode_with_pages_of_16_kib_and_readers_cannot_write() {
        try (Store store = TestStores.open(folder)) {
            assertThat(number(store, "PRAGMA page_size")).isEqualTo(16384);
            store.write(tx -> {
                SqliteStatement mode = tx.statement("PRAGMA journal_mode");
                mode.step();
                assertThat(mode.textAt(0)).isEqualTo("wal");
                assertThat(number(tx, "PRAGMA synchronous")).isEqualTo(1);
                assertThat(number(tx, "PRAGMA foreign_keys")).isZero();
                return null;
            });
            assertThatThrownBy(() -> store.read(LONG, insert(1))).isInstanceOf(PerigeeException.class);
            assertThat(number(store, "PRAGMA query_only")).isEqualTo(1);
        }
    }

    @Test
    void a_read_sees_one_state_however_long_it_takes() {
        try (Store store = TestStores.open(folder)) {
            store.write(insert(1));
            List<Long> seen = store.read(LONG, tx -> {
                List<Long> counts = new ArrayList<>();
                counts.add(number(tx, "SELECT count(*) FROM t"));
                // From another thread: from inside work it would be refused.
                CompletableFuture.runAsync(() -> store.write(insert(2))).join();
                counts.add(number(tx, "SELECT count(*) FROM t"));
                return counts;
            });
            assertThat(seen).containsExactly(1L, 1L);
            assertThat(count(store)).isEqualTo(2);
        }
    }

    @Test
    void reads_that_share_a_transaction_see_every_commit_that_was_acknowledged_before_them() throws Exception {
        int readers = 8;
        int writes = 2000;
        AtomicLong acknowledged = new AtomicLong();
        try (Store store = TestStores.open(folder);
                ExecutorService threads = Executors.newFixedThreadPool(readers)) {
            List<Future<Long>> reading = new ArrayList<>();
            for (int i = 0; i < readers; i++) {
                reading.add(threads.submit(() -> {
                    long stale = 0;
                    while (acknowledged.get() < writes) {
                        long before = acknowledged.get();
                        if (number(store, "SELECT coalesce(max(k), 0) FROM t") < before) stale++;
                    }
                    return stale;
                }));
            }
            for (long key = 1; key <= writes; key++) {
                store.write(insert(key));
                acknowledged.set(key);
            }
            for (Future<Long> stale : reading) assertThat(stale.get()).isZero();
        }
    }

    @Test
    void a_read_past_its_limit_is_ended_by_name_and_the_reader_goes_on() {
        StoreConfig two =
                new StoreConfig(folder, StoreConfig.FILE_NAME, 2, 8, 1 << 28, 1 << 24, 1 << 22, Duration.ZERO);
        try (Store store = TestStores.open(two)) {
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> store.read(
                                Duration.ofMillis(50), tx -> number(tx, "SELECT 1") + number(tx, ENDLESS_SELECT)))
                        .isInstanceOf(PerigeeException.class)
                        .hasMessageStartingWith("TIME_LIMIT")
                        .hasMessageContaining("limit of 50 ms");
                assertThat(count(store)).isZero();
            }
        }
    }

    @Test
    void calls_from_inside_work_are_refused_instead_of_waiting_for_ever() {
        try (Store store = TestStores.open(folder)) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> store.write(tx -> store.write(insert(1))))
                    .withMessageContaining("inside work");
            assertThatIllegalStateException().isThrownBy(() -> store.write(tx -> store.submit(insert(1))));
            assertThatIllegalStateException().isThrownBy(() -> store.write(tx -> count(store)));
            assertThatIllegalStateException().isThrownBy(() -> store.read(LONG, tx -> store.write(insert(1))));
            assertThatIllegalStateException().isThrownBy(() -> store.read(LONG, tx -> count(store)));
            AutoCloseable closing = store;
            assertThatIllegalStateException()
                    .isThrownBy(() -> store.write(tx -> {
                        try {
                            closing.close();
                        } catch (RuntimeException e) {
                            throw e;
                        } catch (Exception e) {
                            throw new AssertionError(e);
                        }
                        return null;
                    }));
            assertThat(count(store)).isZero();
        }
    }

    @Test
    void a_transaction_that_was_kept_cannot_be_used() {
        try (Store store = TestStores.open(folder)) {
            Transaction[] kept = new Transaction[1];
            store.write(tx -> kept[0] = tx);
            assertThatIllegalStateException().isThrownBy(() -> kept[0].statement("SELECT 1"));
            assertThatIllegalStateException().isThrownBy(() -> kept[0].connection());
        }
    }

    @Test
    void closing_finishes_queued_writes_ends_reads_and_refuses_later_calls() {
        Store store = TestStores.open(folder);
        CountDownLatch reading = new CountDownLatch(1);
        CompletableFuture<Object> read = CompletableFuture.supplyAsync(() -> store.read(LONG, tx -> {
            reading.countDown();
            return tx.statement(ENDLESS_SELECT).step();
        }));
        TestStores.await(reading);
        CountDownLatch release = TestStores.holdWriter(store);
        List<CompletableFuture<Long>> writes = new ArrayList<>();
        for (long key = 1; key <= 100; key++) writes.add(store.submit(insert(key)));
        release.countDown();
        store.close();
        store.close();
        assertThat(writes).allMatch(CompletableFuture::isDone).noneMatch(CompletableFuture::isCompletedExceptionally);
        assertThat(read.handle((_, e) -> e.getMessage()).join()).contains("CLOSED");
        assertThat(folder.resolve("perigee.db-wal")).doesNotExist();
        assertThatThrownBy(() -> store.write(insert(1000))).hasMessageStartingWith("CLOSED");
        assertThatThrownBy(() -> store.submit(insert(1000))).hasMessageStartingWith("CLOSED");
        assertThatThrownBy(() -> count(store)).hasMessageStartingWith("CLOSED");
        try (Store again = TestStores.open(folder)) {
            assertThat(count(again)).isEqualTo(100);
        }
    }

    @Test
    void cached_statements_survive_schema_changes_and_come_without_old_bindings() {
        try (Store store = TestStores.open(folder)) {
            store.write(tx -> {
                tx.statement("INSERT INTO t VALUES (?1, ?2)")
                        .bindInt(1, 1)
                        .bindText(2, "old")
                        .run();
                return null;
            });
            assertThat(number(store, "SELECT count(*) FROM t")).isEqualTo(1);
            TestStores.exec(store, "ALTER TABLE t RENAME TO u; CREATE TABLE t (k INTEGER PRIMARY KEY, v, w)");
            assertThat(number(store, "SELECT count(*) FROM t")).isZero();
            TestStores.exec(store, "DROP TABLE t; ALTER TABLE u RENAME TO t");
            store.write(tx -> {
                tx.statement("INSERT INTO t VALUES (?1, ?2)").bindInt(1, 2).run();
                return null;
            });
            assertThat(number(store, "SELECT count(*) FROM t WHERE v IS NULL")).isEqualTo(1);
        }
    }

    @Test
    void more_statements_than_the_cache_holds_do_no_harm() {
        try (Store store = TestStores.open(folder)) {
            long sum = store.read(LONG, tx -> {
                SqliteStatement first = tx.statement("SELECT 1 AS a UNION SELECT 2");
                first.step();
                long total = 0;
                for (int i = 0; i < 3 * StatementCache.MAX_STATEMENTS; i++) total += number(tx, "SELECT " + i);
                first.step();
                return total + first.intAt(0);
            });
            int n = 3 * StatementCache.MAX_STATEMENTS;
            assertThat(sum).isEqualTo((long) n * (n - 1) / 2 + 2);
            assertThat(count(store)).isZero();
        }
    }

    @Test
    void all_readers_work_at_once_and_one_more_waits_its_turn() throws Exception {
        StoreConfig two =
                new StoreConfig(folder, StoreConfig.FILE_NAME, 2, 8, 1 << 28, 1 << 24, 1 << 22, Duration.ZERO);
        try (Store store = TestStores.open(two)) {
            CountDownLatch bothIn = new CountDownLatch(2);
            CountDownLatch leave = new CountDownLatch(1);
            List<CompletableFuture<String>> reads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                reads.add(CompletableFuture.supplyAsync(
                        () -> store.read(LONG, tx -> {
                            bothIn.countDown();
                            TestStores.await(leave);
                            return Thread.currentThread().getName();
                        }),
                        task -> Thread.ofVirtual().start(task)));
            }
            TestStores.await(bothIn);
            assertThat(store.stats().activeReads()).isEqualTo(2);
            Thread third = Thread.ofVirtual()
                    .start(() -> reads.add(CompletableFuture.completedFuture(
                            store.read(LONG, tx -> Thread.currentThread().getName()))));
            leave.countDown();
            third.join();
            assertThat(reads.stream().map(CompletableFuture::join))
                    .hasSize(3)
                    .contains("perigee-reader-1", "perigee-reader-2");
        }
    }

    @Test
    void a_backup_is_a_whole_database_of_its_own_and_replaces_nothing() throws Exception {
        Path target = folder.resolve("backup.db");
        try (Store store = TestStores.open(folder.resolve("data"))) {
            store.write(insert(1));
            store.backup(target);
            store.write(insert(2));
            assertThatThrownBy(() -> store.backup(target))
                    .satisfies(e -> assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.CONFLICT));
        }
        assertThat(folder.resolve("backup.db.part")).doesNotExist();
        Path restored = Files.createDirectories(folder.resolve("restored"));
        Files.copy(target, restored.resolve("perigee.db"));
        try (Store store = TestStores.open(restored)) {
            assertThat(count(store)).isEqualTo(1);
            assertThat(store.integrityCheck(LONG)).isEmpty();
        }
    }

    @Test
    void a_file_that_is_no_database_is_refused_and_the_folder_is_free_again() throws Exception {
        Files.writeString(folder.resolve("perigee.db"), "no database, but long enough to be taken for one".repeat(100));
        assertThatThrownBy(() -> Store.open(StoreConfig.of(folder)))
                .satisfies(e -> assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.REPLICA_CORRUPT));
        Files.delete(folder.resolve("perigee.db"));
        TestStores.open(folder).close();
    }
}
