package dev.perigee.alarm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AlarmsTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @TempDir
    Path folder;

    private final ManualClock clock = new ManualClock();
    private Store store;
    private Alarms alarms;

    @BeforeEach
    void open() {
        store = Store.open(StoreConfig.of(folder));
        alarms = new Alarms(store, clock);
    }

    @AfterEach
    void close() {
        alarms.close();
        store.close();
    }

    @Test
    void an_alarm_fires_when_it_is_due_and_once() {
        Semaphore fired = new Semaphore(0);
        alarms.handler("a", attempt -> fired.release());
        alarms.start();
        alarms.set("a", clock.instant().plusSeconds(10));
        assertThat(alarms.due("a")).contains(clock.instant().plusSeconds(10));
        advance(Duration.ofMillis(9_999));
        // A second owner that is due shows that the first was looked at and left.
        fireAndWaitForAnother();
        assertThat(fired.availablePermits()).isZero();
        advance(Duration.ofMillis(1));
        awaitPermits(fired, 1);
        await().until(() -> alarms.due("a").isEmpty());
        advance(Duration.ofHours(1));
        fireAndWaitForAnother();
        assertThat(fired.availablePermits()).isZero();
    }

    @Test
    void an_alarm_is_at_least_a_second_ahead_and_a_later_one_replaces_it() {
        alarms.set("a", clock.instant().minusSeconds(100));
        assertThat(alarms.due("a")).contains(clock.instant().plus(SECOND));
        alarms.set("a", clock.instant().plusSeconds(5).plusNanos(1));
        assertThat(alarms.due("a")).contains(clock.instant().plusSeconds(5).plusMillis(1));
        alarms.clear("a");
        assertThat(alarms.due("a")).isEmpty();
        assertThat(alarms.due("b")).isEmpty();
    }

    @Test
    void an_alarm_outlives_the_process_and_fires_at_once_when_it_is_overdue() {
        alarms.set("a", clock.instant().plusSeconds(60));
        alarms.set("b", clock.instant().plusSeconds(60));
        restart();
        clock.advance(Duration.ofDays(3));
        Semaphore fired = new Semaphore(0);
        alarms.handler("a", attempt -> fired.release());
        alarms.start();
        awaitPermits(fired, 1);
        await().until(() -> alarms.due("a").isEmpty());
        // Nobody handles b yet: it waits for whoever does.
        assertThat(alarms.due("b")).isPresent();
        alarms.handler("b", attempt -> fired.release());
        awaitPermits(fired, 1);
    }

    @Test
    void a_handler_that_throws_is_called_again_after_2_s_doubling_six_times_and_then_given_up() {
        List<Integer> attempts = new CopyOnWriteArrayList<>();
        alarms.handler("a", attempt -> {
            attempts.add(attempt);
            throw new IllegalArgumentException("as the test wants it");
        });
        alarms.start();
        alarms.set("a", clock.instant());
        advance(SECOND);
        for (int retry = 1; retry <= 6; retry++) {
            Instant expected = clock.instant().plusSeconds(1L << retry);
            await().until(() -> alarms.due("a").equals(Optional.of(expected)));
            assertThat(attempts).hasSize(retry);
            clock.advance(Duration.between(clock.instant(), expected).minusMillis(1));
            fireAndWaitForAnother();
            assertThat(attempts).hasSize(retry);
            advance(Duration.ofMillis(1));
        }
        await().until(() -> attempts.size() == 7 && alarms.due("a").isEmpty());
        assertThat(attempts).containsExactly(0, 1, 2, 3, 4, 5, 6);
        advance(Duration.ofDays(1));
        fireAndWaitForAnother();
        assertThat(attempts).hasSize(7);
    }

    @Test
    void a_handler_may_set_the_next_alarm_and_ending_well_or_badly_does_not_clear_it() {
        AtomicInteger runs = new AtomicInteger();
        alarms.handler("a", attempt -> {
            assertThat(attempt).isZero();
            assertThat(alarms.due("a")).isEmpty();
            alarms.set("a", clock.instant().plusSeconds(10));
            if (runs.incrementAndGet() == 2) throw new IllegalStateException("as the test wants it");
        });
        alarms.start();
        alarms.set("a", clock.instant());
        advance(SECOND);
        for (int run = 1; run <= 3; run++) {
            int expected = run;
            Instant next = clock.instant().plusSeconds(10);
            await().until(() -> runs.get() == expected && alarms.due("a").equals(Optional.of(next)));
            fireAndWaitForAnother();
            assertThat(alarms.due("a")).contains(next);
            clock.advance(Duration.between(clock.instant(), next));
            alarms.wake();
        }
    }

    @Test
    void a_run_that_ends_after_its_alarm_was_cleared_and_set_anew_leaves_the_new_one() {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        AtomicInteger runs = new AtomicInteger();
        alarms.handler("a", attempt -> {
            runs.incrementAndGet();
            running.countDown();
            end.await();
        });
        alarms.start();
        alarms.set("a", clock.instant());
        advance(SECOND);
        waitFor(running);
        alarms.clear("a");
        alarms.set("a", clock.instant().plusSeconds(30));
        end.countDown();
        fireAndWaitForAnother();
        assertThat(alarms.due("a")).isPresent();
        assertThat(runs).hasValue(1);
    }

    @Test
    void one_owner_never_runs_twice_at_once_while_others_run_beside_it() {
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch end = new CountDownLatch(1);
        alarms.handler("a", attempt -> {
            runs.incrementAndGet();
            end.await();
        });
        alarms.start();
        alarms.set("a", clock.instant());
        advance(SECOND);
        await().until(() -> runs.get() == 1);
        alarms.set("a", clock.instant());
        advance(Duration.ofMinutes(5));
        fireAndWaitForAnother();
        assertThat(runs).hasValue(1);
        end.countDown();
        await().until(() -> runs.get() == 2);
    }

    @Test
    void more_owners_than_may_run_at_once_all_get_their_turn() {
        int owners = Alarms.MAX_RUNNING + 10;
        AtomicInteger started = new AtomicInteger();
        Semaphore end = new Semaphore(0);
        for (int i = 0; i < owners; i++) {
            alarms.handler("owner-" + i, attempt -> {
                started.incrementAndGet();
                end.acquire();
            });
            alarms.set("owner-" + i, clock.instant());
        }
        alarms.start();
        advance(SECOND);
        await().until(() -> started.get() == Alarms.MAX_RUNNING);
        end.release(1);
        await().until(() -> started.get() == Alarms.MAX_RUNNING + 1);
        end.release(owners);
        await().until(() -> started.get() == owners);
    }

    @Test
    void owners_are_told_when_the_clock_was_set_back_and_retries_do_not_wait_for_where_it_was() {
        Semaphore told = new Semaphore(0);
        alarms.handler("a", new Alarms.Handler() {
            @Override
            public void onAlarm(int attempt) {
                throw new IllegalArgumentException("as the test wants it");
            }

            @Override
            public void onClockSetBack() {
                told.release();
            }
        });
        alarms.start();
        alarms.set("a", clock.instant());
        advance(Duration.ofHours(1));
        await().until(() -> alarms.due("a").equals(Optional.of(clock.instant().plusSeconds(2))));
        told.drainPermits(); // this clock stands still between two steps, which may look as if it lost time
        advance(Duration.ofHours(-1));
        awaitPermits(told, 1);
        await().until(() -> alarms.due("a").equals(Optional.of(clock.instant().plusSeconds(2))));
        // Also what the process before left behind.
        clock.advance(Duration.ofHours(-1));
        restart();
        alarms.handler("a", attempt -> told.release());
        alarms.start();
        await().until(() -> alarms.due("a").equals(Optional.of(clock.instant().plusSeconds(2))));
    }

    @Test
    void closing_waits_for_a_handler_and_what_it_did_is_recorded() {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        alarms.handler("a", attempt -> {
            running.countDown();
            end.await();
        });
        alarms.start();
        alarms.set("a", clock.instant());
        advance(SECOND);
        waitFor(running);
        Thread closer = Thread.ofPlatform().start(alarms::close);
        await().until(() -> closer.getState() == Thread.State.TIMED_WAITING);
        end.countDown();
        waitFor(closer);
        alarms = new Alarms(store, clock);
        assertThat(alarms.due("a")).isEmpty();
    }

    private void restart() {
        close();
        open();
    }

    private void advance(Duration by) {
        clock.advance(by);
        alarms.wake();
    }

    /// Returns when an alarm of another owner, due since 1970, has fired: the scheduler has then looked at the clock.
    private void fireAndWaitForAnother() {
        Semaphore fired = new Semaphore(0);
        alarms.handler("another", attempt -> fired.release());
        store.write(tx -> {
            tx.statement("""
                            INSERT INTO tmp_alarms (owner, due_at_ms, begun, revision) VALUES ('another', 0, 0, 0)
                            ON CONFLICT (owner) DO NOTHING""").run();
            return null;
        });
        alarms.wake();
        awaitPermits(fired, 1);
        await().until(() -> alarms.due("another").isEmpty());
    }

    private static ConditionFactory await() {
        return Awaitility.await().pollInterval(Duration.ofMillis(5));
    }

    private static void awaitPermits(Semaphore semaphore, int permits) {
        await().until(() -> semaphore.tryAcquire(permits));
    }

    private static void waitFor(CountDownLatch latch) {
        await().until(() -> latch.getCount() == 0);
    }

    private static void waitFor(Thread thread) {
        await().until(() -> !thread.isAlive());
    }
}
