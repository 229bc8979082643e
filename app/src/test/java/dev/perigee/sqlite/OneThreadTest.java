package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import java.util.EnumSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Threads and one connection: handing over is fine, two inside are found out, an interrupt may come at any time.
class OneThreadTest {
    private static final String ENDLESS =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i + pause()) FROM n";

    private final SqliteConnection connection = SqliteConnection.openInMemory();
    private final CountDownLatch isInside = new CountDownLatch(1);

    @AfterEach
    void close() {
        connection.close();
    }

    /// A statement that is surely inside SQLite, until interrupted.
    private Future<?> runEndlessly(ExecutorService executor) throws InterruptedException {
        connection.function("pause", 0, EnumSet.noneOf(SqliteFunction.Trait.class), _ -> {
            isInside.countDown();
            return new Value.Int(0);
        });
        Future<?> running = executor.submit(() -> connection.exec(ENDLESS));
        isInside.await();
        return running;
    }

    @Test
    void a_second_thread_inside_is_told_so_whatever_it_calls() throws InterruptedException {
        SqliteStatement statement = connection.prepare("SELECT ?");
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<?> running = runEndlessly(executor);
            try {
                for (ThrowingCallable use : new ThrowingCallable[] {
                    () -> connection.exec("SELECT 1"),
                    () -> connection.prepare("SELECT 1"),
                    connection::changes,
                    connection::close,
                    () -> connection.checkpoint(CheckpointMode.PASSIVE),
                    () -> statement.bindInt(1, 1),
                    () -> statement.bindText(1, "a"),
                    statement::step,
                    statement::close,
                }) {
                    assertThatThrownBy(use)
                            .isInstanceOf(IllegalStateException.class)
                            .hasMessageContaining("two threads are inside one SQLite connection");
                }
            } finally {
                connection.interrupt(); // Else a failure here would wait for the executor without end.
            }
            assertThatThrownBy(running::get).hasCauseInstanceOf(SqliteException.class);
        }
        assertThat(statement.bindInt(1, 3).step()).isTrue();
    }

    @Test
    void an_interrupt_from_another_thread_ends_the_statement_with_time_limit() throws InterruptedException {
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<?> running = runEndlessly(executor);
            connection.interrupt();
            assertThatThrownBy(running::get)
                    .cause()
                    .isInstanceOfSatisfying(
                            SqliteException.class, e -> assertThat(e.fault()).isEqualTo(Fault.TIME_LIMIT))
                    .hasMessageContaining("interrupted");
        }
        connection.exec("SELECT 1");
    }

    @Test
    void an_interrupt_while_nothing_runs_is_forgotten() {
        connection.interrupt();
        connection.exec("SELECT 1");
    }

    @Test
    void interrupts_may_come_while_connections_open_work_and_close() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            SqliteConnection other = SqliteConnection.openInMemory();
            CountDownLatch started = new CountDownLatch(1);
            Thread interrupter = Thread.ofPlatform().start(() -> {
                started.countDown();
                for (int i = 0; i < 200; i++) other.interrupt();
            });
            started.await();
            try {
                other.exec("CREATE TABLE t(a); INSERT INTO t VALUES (1)");
            } catch (SqliteException e) {
                assertThat(e.fault()).isEqualTo(Fault.TIME_LIMIT);
            }
            other.close();
            interrupter.join();
        }
    }

    @Test
    void a_connection_is_handed_from_thread_to_thread() throws InterruptedException {
        connection.exec("CREATE TABLE t(a)");
        try (SqliteStatement insert = connection.prepare("INSERT INTO t VALUES (?)")) {
            for (int i = 0; i < 20; i++) {
                int value = i;
                Thread.ofPlatform().start(() -> insert.bindInt(1, value).run()).join();
            }
        }
        try (SqliteStatement count = connection.prepare("SELECT count(*) FROM t")) {
            count.step();
            assertThat(count.intAt(0)).isEqualTo(20);
        }
    }
}
