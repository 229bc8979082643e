package dev.perigee.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.ServingThreads;
import dev.perigee.store.HandoffQueue.Offer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QueuesTest {
    @TempDir
    Path folder;

    @Test
    void a_full_queue_holds_callers_up_and_lets_them_in_again() throws Exception {
        StoreConfig small =
                new StoreConfig(folder, StoreConfig.FILE_NAME, 2, 2, 1 << 28, 1 << 24, 1 << 22, Duration.ZERO);
        try (Store store = TestStores.open(small)) {
            CountDownLatch release = TestStores.holdWriter(store);
            CompletableFuture<Long> first = store.submit(TestStores.insert(1));
            CompletableFuture<Long> second = store.submit(TestStores.insert(2));
            assertThat(store.stats().queuedWrites()).isEqualTo(2);
            Thread third = Thread.ofPlatform()
                    .start(() -> store.submit(TestStores.insert(3)).join());
            await().until(() -> third.getState() == Thread.State.TIMED_WAITING);
            assertThat(store.stats().queuedWrites()).isEqualTo(2);
            release.countDown();
            third.join();
            first.join();
            second.join();
            assertThat(TestStores.count(store)).isEqualTo(3);
        }
    }

    @Test
    void a_queue_is_full_or_closed_by_name_and_gives_what_it_has_after_it_closed() {
        HandoffQueue<String> queue = new HandoffQueue<>(1);
        assertThat(queue.offer("a", 0)).isEqualTo(Offer.ACCEPTED);
        assertThat(queue.offer("b", 1)).isEqualTo(Offer.FULL);
        queue.close();
        assertThat(queue.offer("c", 0)).isEqualTo(Offer.CLOSED);
        assertThat(queue.isDrained()).isFalse();
        assertThat(queue.take(Long.MAX_VALUE)).isEqualTo("a");
        assertThat(queue.take(Long.MAX_VALUE)).isNull();
        assertThat(queue.isDrained()).isTrue();
    }

    @Test
    void a_read_that_finds_no_free_reader_in_time_is_refused_and_not_run_later() {
        StoreConfig two =
                new StoreConfig(folder, StoreConfig.FILE_NAME, 2, 8, 1 << 28, 1 << 24, 1 << 22, Duration.ZERO);
        try (Store store = TestStores.open(two);
                Watchdog watchdog = new Watchdog(UnaryOperator.identity())) {
            ReadPool pool = new ReadPool(store.file(), two, watchdog, new ServingThreads(), Duration.ofSeconds(1));
            pool.start();
            CountDownLatch reading = new CountDownLatch(1);
            CountDownLatch end = new CountDownLatch(1);
            CountDownLatch ranLater = new CountDownLatch(1);
            Thread holder = Thread.ofPlatform()
                    .start(() -> pool.run(
                                    tx -> {
                                        reading.countDown();
                                        TestStores.await(end);
                                        return null;
                                    },
                                    TimeGuard.NO_LIMIT,
                                    true)
                            .join());
            TestStores.await(reading);
            TransactionWork<Object> refused = tx -> {
                ranLater.countDown();
                return null;
            };
            assertThatThrownBy(() -> pool.run(refused, TimeGuard.NO_LIMIT, true))
                    .hasMessageStartingWith("BUSY")
                    .hasMessageContaining("one of 1 readers")
                    .hasMessageContaining("none was free for 1000 ms");
            assertThat(pool.run(tx -> "answered", TimeGuard.NO_LIMIT, false).join())
                    .as("Perigee's own read")
                    .isEqualTo("answered");
            end.countDown();
            await().until(() -> !holder.isAlive());
            pool.run(tx -> null, TimeGuard.NO_LIMIT, true).join();
            pool.close();
            assertThat(ranLater.getCount()).isEqualTo(1);
        }
    }
}
