package dev.perigee.worker;

import dev.perigee.fault.ServingThreads;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The thread that checks all worker processes, every 10 ms while any is busy and every second otherwise. It kills
/// those past their time or memory, replaces idle ones that have grown large, and ends spare ones.
final class WorkerWatch {
    private static final long TICK_NANOS = Duration.ofMillis(10).toNanos();
    private static final long IDLE_NANOS = Duration.ofSeconds(1).toNanos();
    private static final Logger LOG = LoggerFactory.getLogger(WorkerWatch.class);

    private final LiveWorkers workers;
    private final Thread thread;
    private volatile boolean isAsleep;

    /// Does not start the thread; [#start] does.
    WorkerWatch(LiveWorkers workers, ServingThreads threads) {
        this.workers = workers;
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("perigee-worker-watch")
                .unstarted(threads.repeated("worker watch", this::watch));
    }

    void start() {
        thread.start();
    }

    /// Called when a worker has become busy.
    void wake() {
        if (isAsleep) LockSupport.unpark(thread);
    }

    /// Called when the workers have been closed, which ends the thread.
    void end() {
        LockSupport.unpark(thread);
    }

    private void watch() {
        while (!workers.isClosed()) {
            if (lookAtAll()) {
                LockSupport.parkNanos(TICK_NANOS);
                continue;
            }
            isAsleep = true;
            // An exchange that began before the flag was visible has not woken this thread, so check once more.
            if (!lookAtAll()) {
                workers.dropSpare();
                LockSupport.parkNanos(IDLE_NANOS);
            }
            isAsleep = false;
        }
    }

    /// @return whether any worker is busy
    private boolean lookAtAll() {
        boolean isBusy = false;
        for (Worker worker : workers.current()) {
            try {
                isBusy |= worker.isBusy();
                worker.look();
                if (!worker.isBusy()) workers.retireIfLarge(worker);
            } catch (RuntimeException e) {
                LOG.error("A worker process could not be checked", e);
            }
        }
        return isBusy;
    }
}
