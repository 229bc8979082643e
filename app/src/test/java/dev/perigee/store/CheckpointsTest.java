package dev.perigee.store;

import static dev.perigee.store.TestStores.ENDLESS_SELECT;
import static dev.perigee.store.TestStores.LONG;
import static dev.perigee.store.TestStores.count;
import static dev.perigee.store.TestStores.fill;
import static dev.perigee.store.TestStores.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteStatement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
    private static final int KIB = 1024;
    private static final int MIB = KIB * KIB;

    @TempDir
    Path folder;

    @Test
    void the_wal_is_emptied_each_time_it_has_grown_to_its_checkpoint_size() {
        try (Store store = TestStores.open(TestStores.wal(folder, 512 * KIB, 64 * MIB))) {
            write(store, 4 * MIB);
            assertThat(store.stats().walBytes()).isLessThan(700 * KIB);
            assertThat(store.stats().checkpoints()).isBetween(5L, 20L);
            assertThat(store.stats().databaseBytes()).isGreaterThan(3 * MIB);
            assertThat(store.stats().interruptedReads()).isZero();
        }
    }

    @Test
    void a_long_read_below_the_limit_is_left_alone_and_the_wal_is_emptied_when_it_ends() {
        try (Store store = TestStores.open(TestStores.wal(folder, 512 * KIB, 64 * MIB))) {
            long before = count(store);
            CountDownLatch reading = new CountDownLatch(1);
            CountDownLatch end = new CountDownLatch(1);
            CompletableFuture<Long> read = CompletableFuture.supplyAsync(() -> store.read(LONG, tx -> {
                number(tx, "SELECT count(*) FROM t");
                reading.countDown();
                TestStores.await(end);
                return number(tx, "SELECT count(*) FROM t");
            }));
            TestStores.await(reading);
            write(store, 3 * MIB);
            assertThat(store.stats().walBytes()).isGreaterThan(3 * MIB);
            end.countDown();
            assertThat(read.join()).isEqualTo(before);
            // Nobody writes any more: the writer comes back to it by itself.
            await().until(() -> store.stats().walBytes() == 0);
        }
    }

    @Test
    void past_the_limit_the_oldest_reads_are_ended_with_the_reason_and_counted() {
        try (Store store = TestStores.open(TestStores.wal(folder, 256 * KIB, 1 * MIB))) {
            List<CompletableFuture<Object>> reads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                CountDownLatch reading = new CountDownLatch(1);
                reads.add(CompletableFuture.supplyAsync(
                        () -> store.read(LONG, tx -> {
                            number(tx, "SELECT count(*) FROM t");
                            reading.countDown();
                            return tx.statement(ENDLESS_SELECT).step();
                        }),
                        task -> Thread.ofPlatform().start(task)));
                TestStores.await(reading);
            }
            write(store, 3 * MIB);
            for (CompletableFuture<Object> read : reads) {
                Throwable thrown = read.handle((_, e) -> e.getCause()).join();
                assertThat(((PerigeeException) thrown).fault()).isEqualTo(Fault.TIME_LIMIT);
                assertThat(thrown).hasMessageContaining("walLimitBytes = 1048576");
            }
            assertThat(store.stats().interruptedReads()).isEqualTo(2);
            assertThat(store.stats().blockedCheckpoints()).isZero();
            assertThat(store.stats().walBytes()).isLessThan(1 * MIB);
            assertThat(count(store)).isEqualTo(3 * MIB / (64 * KIB));
        }
    }

    @Test
    void a_reader_outside_the_store_cannot_be_ended_and_is_counted_and_writes_go_on() {
        try (Store store = TestStores.open(TestStores.wal(folder, 256 * KIB, 1 * MIB))) {
            write(store, 64 * KIB);
            try (SqliteConnection other = SqliteConnection.open(store.file(), EnumSet.of(OpenFlag.READONLY))) {
                other.exec("BEGIN");
                assertThat(countOf(other)).isEqualTo(1);
                write(store, 2 * MIB);
                assertThat(store.stats().blockedCheckpoints()).isPositive();
                assertThat(store.stats().walBytes()).isGreaterThan(1 * MIB);
                // It still sees what it saw, and in a new transaction all that was written since.
                assertThat(countOf(other)).isEqualTo(1);
                other.exec("COMMIT");
                assertThat(countOf(other)).isEqualTo(33);
            }
            await().until(() -> store.stats().walBytes() == 0);
        }
    }

    @Test
    void an_interrupt_that_came_after_its_statement_does_not_end_the_checkpoint() {
        Path file = folder.resolve("alone.db");
        StoreConfig config = TestStores.wal(folder, 64 * KIB, 64 * MIB);
        try (Watchdog watchdog = new Watchdog(UnaryOperator.identity());
                SqliteConnection connection = Connections.writer(file, config)) {
            ReadPool nobody = new ReadPool(file, config, watchdog, new ServingThreads(), ReadPool.READER_WAIT);
            Checkpoints checkpoints = new Checkpoints(connection, file, config, nobody);
            connection.exec("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(1000000))");
            assertThat(Store.size(Connections.wal(file))).isGreaterThan(MIB / 2);
            connection.interrupt();
            checkpoints.tryNow();
            assertThat(Store.size(Connections.wal(file))).isZero();
        }
    }

    private static void write(Store store, int bytes) {
        for (int written = 0; written < bytes; written += 64 * KIB) {
            store.write(tx -> {
                fill(tx, 64 * KIB);
                return null;
            });
        }
    }

    private static long countOf(SqliteConnection connection) {
        try (SqliteStatement select = connection.prepare("SELECT count(*) FROM t")) {
            select.step();
            return select.intAt(0);
        }
    }
}
