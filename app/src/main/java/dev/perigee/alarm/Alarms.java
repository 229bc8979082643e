package dev.perigee.alarm;

import dev.perigee.store.Store;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/// Durable timers: each owner has at most one due time. After a restart what is overdue fires at once.
///
/// A handler that throws is called again after 2 s, doubling, 6 times; then the alarm is given up, logged and cleared.
/// A handler may set its owner's next alarm. One owner's handler never runs twice at the same time.
///
/// @see <a href="https://developers.cloudflare.com/durable-objects/api/alarms/">the semantics it follows</a>
public final class Alarms implements AutoCloseable {
    /// Called when an owner's alarm is due, on a thread of its own.
    @FunctionalInterface
    public interface Handler {
        /// @param attempt 0 at first, 1 to 6 for retries
        void onAlarm(int attempt) throws Exception;
    }

    public Alarms(Store store, InstantSource clock) {
        throw new UnsupportedOperationException();
    }

    /// Names who handles an owner's alarm. Alarms due before fire once [#start()] was called.
    public void handler(String owner, Handler handler) {
        throw new UnsupportedOperationException();
    }

    /// Sets the owner's due time, replacing any; moved to one second from now when it is sooner.
    public void set(String owner, Instant due) {
        throw new UnsupportedOperationException();
    }

    public Optional<Instant> due(String owner) {
        throw new UnsupportedOperationException();
    }

    public void clear(String owner) {
        throw new UnsupportedOperationException();
    }

    public void start() {
        throw new UnsupportedOperationException();
    }

    /// Looks at the clock again: for tests that move it.
    public void wake() {
        throw new UnsupportedOperationException();
    }

    /// Waits for handlers that run; alarms stay set.
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
