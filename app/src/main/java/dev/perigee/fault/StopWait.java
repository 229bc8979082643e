package dev.perigee.fault;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Waits during a stop until the work under way has ended.
public final class StopWait {
    private static final long LOOK_MILLIS = 10;

    private StopWait() {}

    /// Waits until `hasEnded`, but no longer than `limit`. Returns early if the thread is interrupted, and leaves it
    /// marked as interrupted.
    ///
    /// @param hasEnded asked every 10 ms, on this thread
    public static void until(BooleanSupplier hasEnded, Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        try {
            while (!hasEnded.getAsBoolean() && System.nanoTime() < end) TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
