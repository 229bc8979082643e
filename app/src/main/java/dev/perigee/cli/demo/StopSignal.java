package dev.perigee.cli.demo;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Turns Ctrl-C and SIGTERM into something to wait for. While this is open, the process does not end before everything
/// is cleaned up, or a limit has passed.
final class StopSignal implements AutoCloseable {
    private static final Duration CLEAN_UP_LIMIT = Duration.ofSeconds(45);

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch cleanedUp = new CountDownLatch(1);
    private final Thread hook = new Thread(this::hold, "perigee-demo-stop");

    private volatile OptionalInt exitCode = OptionalInt.empty();

    StopSignal() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    boolean isAsked() {
        return asked.getCount() == 0;
    }

    /// Waits until asked to stop, but not longer than `limit`.
    void await(Duration limit) throws InterruptedException {
        boolean _ = asked.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    }

    /// Sets the exit code of a process that was asked to stop, once everything is cleaned up. Without this call, which
    /// a failure leaves out, the exit code is that of the signal.
    int endWith(int code) {
        exitCode = OptionalInt.of(code);
        return code;
    }

    /// Says that everything is cleaned up, so the process may end.
    @Override
    public void close() {
        cleanedUp.countDown();
        if (isAsked()) return;
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException _) {
            // The process is ending already; the hook has just run.
        }
    }

    private void hold() {
        asked.countDown();
        try {
            if (cleanedUp.await(CLEAN_UP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                exitCode.ifPresent(Runtime.getRuntime()::halt);
            }
        } catch (InterruptedException _) {
            // The process ends now; PostgreSQL's data survives that.
        }
    }
}
