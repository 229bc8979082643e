package dev.perigee.store;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs queued writes together in one transaction (group commit). A write that fails is undone alone, by a savepoint.
///
/// The first write of a transaction needs no savepoint: undoing it means undoing the transaction. This matters because
/// a savepoint makes SQLite keep the old content of every page that is touched. A page of replicated rows, which is
/// usually alone in its transaction, does not pay for that.
///
/// Some failures undo the whole transaction despite the savepoint: a full or failing disk, an interrupted statement
/// that writes, `ON CONFLICT ROLLBACK`. The failing write then undoes its neighbours too. Two rules limit the damage:
/// - A time limit must not cost others their writes. Before a limited write begins, the unlimited writes that have run
///   are committed. Limited writes promise that they may be run twice, so they are run again, each in a transaction of
///   its own.
/// - After a full or failing disk, unlimited neighbours fail with the same fault, because nothing of theirs was
///   written.
///
/// Not thread-safe: it belongs to the writer thread.
final class GroupCommit {
    /// Maximum number of writes in one transaction.
    static final int MAX_WRITES = 256;

    /// How long a transaction accepts further writes. The caller of the first write waits for the last one.
    static final Duration MAX_TIME = Duration.ofMillis(5);

    /// Faults that concern the replica as a whole, even if a single write meets them.
    private static final Set<Fault> OF_THE_REPLICA =
            EnumSet.of(Fault.DISK_FULL, Fault.DISK_FAILED, Fault.REPLICA_CORRUPT);

    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

    private final String where;
    private final SqliteConnection connection;
    private final OpenTransaction transaction;
    private final Supplier<ChangeObserver> observer;
    private final Runnable committed;
    private final long maxNanos;
    private final SqliteStatement begin;
    private final SqliteStatement commit;
    private final SqliteStatement rollback;
    private final SqliteStatement savepoint;
    private final SqliteStatement release;
    private final SqliteStatement rollbackToSavepoint;
    private final SqliteStatement dataVersion;

    /// Why the last transaction could not be written, if the cause concerns the replica and not a single write.
    private volatile @Nullable PerigeeException trouble;

    /// Writes that have run in the open transaction and wait for its commit.
    private final List<PendingWrite<?>> ran = new ArrayList<>();

    /// @param observer gives the current observer of writes
    /// @param committed called after each commit, before any write's caller is notified
    GroupCommit(
            String where,
            SqliteConnection connection,
            OpenTransaction transaction,
            Supplier<ChangeObserver> observer,
            Runnable committed,
            Duration maxTime) {
        this.where = where;
        this.connection = connection;
        this.transaction = transaction;
        this.observer = observer;
        this.committed = committed;
        this.maxNanos = maxTime.toNanos();
        this.begin = connection.prepare("BEGIN IMMEDIATE");
        this.commit = connection.prepare("COMMIT");
        this.rollback = connection.prepare("ROLLBACK");
        this.savepoint = connection.prepare("SAVEPOINT perigee_write");
        this.release = connection.prepare("RELEASE perigee_write");
        this.rollbackToSavepoint = connection.prepare("ROLLBACK TO perigee_write");
        this.dataVersion = connection.prepare("PRAGMA data_version");
    }

    /// Why nothing can be written at the moment; null after the next successful commit. Any thread.
    @Nullable
    PerigeeException trouble() {
        return trouble;
    }

    /// Runs `first` and the writes that `more` supplies, and commits. When it returns, every caller has been given a
    /// result or a failure.
    ///
    /// @param more gives the next queued write without waiting; null if there is none
    void run(PendingWrite<?> first, Supplier<@Nullable PendingWrite<?>> more) {
        WriteGroupEvent event = WriteGroupEvent.begun();
        long start = System.nanoTime();
        int count = 0;
        PendingWrite<?> write = first;
        try {
            while (write != null) {
                count++;
                if (write.isTurn()) {
                    commit();
                    lend(write);
                } else {
                    if (write.isLimited() && holdsUnrepeatable()) commit();
                    runOne(write);
                }
                boolean isFull = count >= MAX_WRITES || System.nanoTime() - start >= maxNanos;
                write = isFull ? null : more.get();
            }
            commit();
        } catch (Throwable e) {
            LOG.error("A group of writes failed unexpectedly; its uncommitted writes are rolled back", e);
            if (write != null) write.failed(e);
            abandon(e);
        }
        if (event != null) event.ended(count);
    }

    /// Lets another process write while this connection has no open transaction.
    private void lend(PendingWrite<?> write) {
        if (write.isCancelled()) return;
        WriterLease lease = new WriterLease(this::dataVersion, transaction, observer.get());
        Throwable failure = null;
        try {
            write.runTurn(lease);
        } catch (Throwable e) {
            failure = e;
        }
        committed.run();
        followLease(lease);
        if (failure == null) write.committed();
        else write.failed(failure);
    }

    /// Lets the observer adapt its triggers on this connection to schema changes made by the other process.
    private void followLease(WriterLease lease) {
        if (!lease.isFollowed() || !lease.mayHaveWritten()) return;
        try {
            begin.run();
            transaction.wroteElsewhere(lease.observer());
            commit.run();
            lease.observer().committed();
        } catch (RuntimeException e) {
            LOG.error("Changes may be announced late: the observer failed after a worker's write", e);
            abandon(e);
        }
    }

    /// SQLite's `data_version`: a different number once another connection has committed.
    private long dataVersion() {
        dataVersion.step();
        long version = dataVersion.intAt(0);
        dataVersion.reset();
        return version;
    }

    private boolean holdsUnrepeatable() {
        for (PendingWrite<?> write : ran) if (!write.isRepeatable()) return true;
        return false;
    }

    private void runOne(PendingWrite<?> write) {
        if (write.isCancelled()) return;
        boolean isFirst = ran.isEmpty();
        try {
            (isFirst ? begin : savepoint).run();
        } catch (PerigeeException e) {
            trouble = e;
            write.failed(e);
            if (connection.isAutocommit()) undone(e);
            return;
        }
        Throwable failure = failureOf(write);
        if (failure == null && connection.isAutocommit()) failure = endedInside();
        if (failure == null && !isFirst) failure = failureOfRelease();
        if (failure == null) {
            ran.add(write);
            return;
        }
        if (failure instanceof PerigeeException known && OF_THE_REPLICA.contains(known.fault())) trouble = known;
        undo(isFirst);
        write.failed(failure);
        if (connection.isAutocommit()) undone(failure);
    }

    private @Nullable Throwable failureOf(PendingWrite<?> write) {
        try {
            write.run(transaction);
            return null;
        } catch (Throwable e) {
            return e;
        }
    }

    private @Nullable Throwable failureOfRelease() {
        try {
            release.run();
            return null;
        } catch (SqliteException _) {
            // The savepoint is gone: the work ended the transaction and began another.
            return endedInside();
        }
    }

    private static IllegalStateException endedInside() {
        return new IllegalStateException(
                "the work of a write ended the transaction it was given; what it wrote may have been kept or lost");
    }

    /// Undoes one write. Rolls back the whole transaction if that write is alone in it, or if the savepoint is lost.
    private void undo(boolean isFirst) {
        if (connection.isAutocommit()) return;
        if (!isFirst) {
            try {
                rollbackToSavepoint.run();
                release.run();
                return;
            } catch (SqliteException e) {
                LOG.warn("A savepoint could not be rolled back; the whole transaction is rolled back", e);
            }
        }
        rollBack();
    }

    private void rollBack() {
        if (!connection.isAutocommit()) rollback.run();
    }

    /// Called when the transaction is gone with all writes that ran in it. Repeatable writes are run again; the others
    /// fail.
    private void undone(Throwable cause) {
        List<PendingWrite<?>> lost = List.copyOf(ran);
        ran.clear();
        for (PendingWrite<?> write : lost) {
            if (write.isRepeatable() && cause instanceof PerigeeException) {
                // Each is alone in its transaction, so its failure undoes no other write and the recursion ends here.
                runAgain(write);
            } else {
                write.failed(lostBecauseOf(cause));
            }
        }
    }

    private void runAgain(PendingWrite<?> write) {
        try {
            runOne(write);
            commit();
        } catch (RuntimeException e) {
            write.failed(e);
            abandon(e);
        }
    }

    private PerigeeException lostBecauseOf(Throwable cause) {
        if (!(cause instanceof PerigeeException known)) {
            return Fault.INTERNAL.in(
                    where,
                    "another write that shared the transaction ended it",
                    "It is not known whether this write was kept",
                    cause);
        }
        boolean isDisk = known.fault() == Fault.DISK_FULL || known.fault() == Fault.DISK_FAILED;
        return (isDisk ? known.fault() : Fault.BUSY)
                .in(where, "another write that shared the transaction undid it", "Nothing was written", cause);
    }

    private void commit() {
        if (ran.isEmpty()) {
            rollBack();
            return;
        }
        ChangeObserver follower = observer.get();
        try {
            transaction.committing(follower);
            commit.run();
        } catch (RuntimeException e) {
            if (e instanceof PerigeeException known) trouble = known;
            abandon(e);
            return;
        }
        trouble = null;
        committed.run();
        follower.committed();
        List<PendingWrite<?>> kept = List.copyOf(ran);
        ran.clear();
        for (PendingWrite<?> write : kept) write.committed();
    }

    /// Rolls back, and fails every write that waits for the commit.
    ///
    /// @throws RuntimeException if the rollback fails. That ends the writer thread, because the state of the next
    ///     commit would be unknown
    private void abandon(Throwable why) {
        List<PendingWrite<?>> lost = List.copyOf(ran);
        ran.clear();
        for (PendingWrite<?> write : lost) write.failed(why);
        rollBack();
    }
}
