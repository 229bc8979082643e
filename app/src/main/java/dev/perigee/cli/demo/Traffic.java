package dev.perigee.cli.demo;

import dev.perigee.fault.Fault;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The shop's simulated users: five threads, each with a connection of its own. Each pauses after a transaction, so the
/// rate is bounded however fast the server is.
final class Traffic implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Traffic.class);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);

    private final DemoPostgres postgres;
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong transactions = new AtomicLong();
    private final AtomicLong longTransactions = new AtomicLong();

    private Traffic(DemoPostgres postgres) {
        this.postgres = postgres;
    }

    /// What one of the simulated users does: one transaction, begun and not yet committed when it returns.
    @FunctionalInterface
    interface Work {
        void run(Connection connection, RandomGenerator random) throws SQLException, InterruptedException;
    }

    /// Starts the threads. They write until this is closed.
    static Traffic start(DemoPostgres postgres, long seed) {
        Traffic traffic = new Traffic(postgres);
        ShopWork work = new ShopWork(traffic::pause);
        traffic.begin("visitors", Duration.ofMillis(250), seed, work::visit);
        traffic.begin("checkout", Duration.ofMillis(120), seed + 1, work::checkOut);
        traffic.begin("warehouse", Duration.ofMillis(200), seed + 2, work::moveOrders);
        traffic.begin("office", Duration.ofMillis(900), seed + 3, work::changePricesAndCustomers);
        traffic.begin("slow", Duration.ofMillis(500), seed + 4, (connection, random) -> {
            work.takeALongOrder(connection, random);
            traffic.longTransactions.incrementAndGet();
        });
        return traffic;
    }

    /// Transactions committed.
    long transactions() {
        return transactions.get();
    }

    /// Committed transactions that were kept open for seconds on purpose.
    long longTransactions() {
        return longTransactions.get();
    }

    /// Lets each thread finish its transaction, the long ones early, and returns when none writes any more.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_TIMEOUT] if a thread does not finish in time
    @Override
    public void close() {
        stopped.countDown();
        long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
        for (Thread thread : threads) {
            try {
                thread.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            if (thread.isAlive()) {
                throw Fault.SOURCE_TIMEOUT.in(
                        "the shop", thread.getName() + " did not finish within " + STOP_LIMIT, "It may still write");
            }
        }
    }

    private void begin(String name, Duration pause, long seed, Work work) {
        RandomGenerator random = new SplittableRandom(seed);
        threads.add(Thread.ofPlatform().daemon().name("shop-" + name).start(() -> {
            while (!isStopped()) write(name, pause, random, work);
        }));
    }

    /// Writes until stopped or until something fails; then the caller begins again with a new connection.
    private void write(String name, Duration pause, RandomGenerator random, Work work) {
        try (Connection connection = postgres.connect()) {
            connection.setAutoCommit(false);
            while (!isStopped()) {
                work.run(connection, random);
                connection.commit();
                transactions.incrementAndGet();
                pause(pause);
            }
        } catch (SQLException e) {
            if (isStopped()) return;
            LOG.warn("The shop's {} could not write and tries again: {}", name, e.getMessage());
            pause(AFTER_FAILURE);
        } catch (InterruptedException _) {
            stopped.countDown();
        }
    }

    private boolean isStopped() {
        return stopped.getCount() == 0;
    }

    /// Waits, but not longer than the shop is open.
    private void pause(Duration duration) {
        try {
            if (stopped.await(duration.toNanos(), TimeUnit.NANOSECONDS)) return;
        } catch (InterruptedException _) {
            stopped.countDown();
        }
    }
}
