package dev.perigee.replication.log;

import dev.perigee.fault.Fault;
import dev.perigee.replication.state.LogRecords;
import dev.perigee.source.SourceLog;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.Optional;

/// Reads the log through one connection and applies it.
///
/// As soon as a change is read that a copy wants, the writer takes over: it reads on to the end of the transaction and
/// writes on the way, so that memory does not depend on the transaction's size. Transactions that have come meanwhile
/// are put into the same transaction of the replica, for a few milliseconds. The source sends a transaction only once
/// it is committed, so the writer does not wait for its end.
///
/// Used by one thread.
final class LogSession implements AutoCloseable {
    /// How long further transactions are added to a transaction of the replica.
    private static final Duration FOLD = Duration.ofMillis(10);

    /// How long the rest of a transaction may stay away. Nothing else is written meanwhile.
    private static final Duration STALL = Duration.ofSeconds(5);

    /// Shortest time between two acknowledgements while changes are applied.
    private static final Duration ACKNOWLEDGE = Duration.ofSeconds(1);

    /// Shortest time between two acknowledgements of what holds no change for a copy.
    private static final Duration IDLE = Duration.ofSeconds(10);

    private final Store store;
    private final SourceLog.Reader reader;
    private final LogApply apply;
    private final LogMarks marks;
    private long acknowledged;
    private long acknowledgedNanos = System.nanoTime();
    private long appliedTo;

    LogSession(Store store, SourceLog.Reader reader, LogApply apply, LogMarks marks) {
        this.store = store;
        this.reader = reader;
        this.apply = apply;
        this.marks = marks;
        this.acknowledged = apply.stored();
        this.appliedTo = apply.stored();
    }

    /// Reads one message and applies what it belongs to. Waits about a millisecond for one.
    ///
    /// @return a mark that was reached
    Optional<LogMarks.Mark> step() {
        boolean isRead = reader.readPending();
        if (apply.hasWork()) {
            long position = store.write(this::fold);
            apply.committed(position);
            isRead = true;
        }
        if (apply.isOpen()) return Optional.empty();
        appliedTo = isRead ? later(apply.end(), appliedTo) : later(reader.received(), appliedTo);
        acknowledge();
        return marks.reached(reader, appliedTo);
    }

    /// Everything before this position was applied.
    long appliedTo() {
        return appliedTo;
    }

    /// Applies the transaction under way, and those that have come meanwhile.
    ///
    /// @return the position
    private long fold(Transaction tx) {
        long began = System.nanoTime();
        long heard = began;
        apply.attach(tx);
        while (true) {
            boolean isLate = System.nanoTime() - began > FOLD.toNanos();
            if (!apply.isOpen() && isLate) break;
            boolean isRead = reader.readPending();
            if (!isRead && !apply.isOpen()) break;
            if (isRead) heard = System.nanoTime();
            else if (System.nanoTime() - heard > STALL.toNanos()) throw stalled();
        }
        return apply.finish();
    }

    private void acknowledge() {
        long since = System.nanoTime() - acknowledgedNanos;
        if (since < ACKNOWLEDGE.toNanos()) return;
        boolean isIdle = apply.stored() == acknowledged;
        if (isIdle && (since < IDLE.toNanos() || appliedTo == acknowledged)) return;
        long position = isIdle ? appliedTo : apply.stored();
        // Recorded first: a source that does not have what is recorded here was read by somebody else.
        if (isIdle) {
            store.write(tx -> {
                LogRecords.reached(tx, position);
                return true;
            });
            apply.committed(position);
        }
        store.sync();
        reader.acknowledge(position);
        acknowledged = position;
        acknowledgedNanos = System.nanoTime();
    }

    private static long later(long one, long other) {
        return Long.compareUnsigned(one, other) > 0 ? one : other;
    }

    private static RuntimeException stalled() {
        return Fault.SOURCE_TIMEOUT.in(
                "the source's log",
                "the rest of a transaction did not come within %d s".formatted(STALL.toSeconds()),
                "Nothing of it was applied");
    }

    @Override
    public void close() {
        marks.close();
        reader.close();
        apply.close();
    }
}
