package dev.perigee.replication.log;

import dev.perigee.replication.state.LogRecords;
import dev.perigee.source.LogSink;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Receives the log's transactions and applies them to the copies. Between two transactions of the log, the caller may
/// end the transaction of the replica, which then has all of them and the position behind the last.
///
/// Used on the thread that reads the log, and on the writer thread while that one waits. After a failure it can only be
/// closed.
final class LogApply implements LogSink, AutoCloseable {
    private final Map<Long, TableChanges> tables;
    private final RecentTransactions recent;
    private final InstantSource clock;
    private long stored;
    private long end;
    private boolean isOpen;
    private boolean isApplied;
    private boolean hasWork;
    private long commit;
    private int transaction;
    private Instant committed = Instant.EPOCH;
    private Instant lastCommitted = Instant.EPOCH;
    private @Nullable List<TableChanges> emptied;
    private @Nullable Transaction tx;

    /// @param tables by the number of each table at the source
    /// @param position everything before it is in the copies
    /// @param recent is told of each transaction that was read
    LogApply(Map<Long, TableChanges> tables, long position, RecentTransactions recent, InstantSource clock) {
        this.tables = tables;
        this.stored = position;
        this.end = position;
        this.recent = recent;
        this.clock = clock;
    }

    /// Whether a transaction of the log is under way.
    boolean isOpen() {
        return isOpen;
    }

    /// Whether there are changes to write.
    boolean hasWork() {
        return hasWork;
    }

    /// Everything before this position was read.
    long end() {
        return end;
    }

    /// Everything before this position is in the copies, and recorded to be.
    long stored() {
        return stored;
    }

    /// The source's time of the last commit that was applied; the epoch before the first.
    Instant lastCommitted() {
        return lastCommitted;
    }

    List<TableChanges> tables() {
        return List.copyOf(tables.values());
    }

    @Override
    public void begin(long at, Instant time, int number) {
        isOpen = true;
        commit = at;
        committed = time;
        transaction = number;
        // The source repeats what was not acknowledged.
        isApplied = Long.compareUnsigned(at, stored) < 0;
        recent.add(number);
    }

    @Override
    public @Nullable Target target(long number) {
        TableChanges table = changed(number);
        if (table != null) hasWork = true;
        return table;
    }

    @Override
    public void truncate(List<Long> numbers) {
        List<TableChanges> wanted = new ArrayList<>();
        for (long number : numbers) {
            TableChanges table = changed(number);
            if (table != null) wanted.add(table);
        }
        if (wanted.isEmpty()) return;
        hasWork = true;
        if (tx == null) emptied = wanted;
        else wanted.forEach(table -> table.truncate(clock.instant()));
    }

    @Override
    public void commit(long at) {
        isOpen = false;
        if (Long.compareUnsigned(at, end) > 0) end = at;
        if (!isApplied) lastCommitted = committed;
    }

    /// Begins a transaction of the replica. Called on the writer thread, as soon as there is work.
    void attach(Transaction transactionHere) {
        tx = transactionHere;
        tables.values().forEach(table -> table.attach(transactionHere));
        if (emptied != null) emptied.forEach(table -> table.truncate(clock.instant()));
        emptied = null;
    }

    /// Writes what is left, and the position. Called between two transactions of the log, on the writer thread.
    ///
    /// @return the position
    long finish() {
        if (isOpen || tx == null) throw new IllegalStateException("a transaction of the log is under way");
        Instant now = clock.instant();
        tables.values().forEach(table -> table.finish(now));
        LogRecords.reached(tx, end);
        tx = null;
        return end;
    }

    /// To be called when the replica has committed.
    void committed(long position) {
        stored = position;
        hasWork = false;
    }

    private @Nullable TableChanges changed(long number) {
        TableChanges table = isApplied ? null : tables.get(number);
        return table == null || table.hasFromSnapshot(commit, transaction) ? null : table;
    }

    @Override
    public void close() {
        tables.values().forEach(TableChanges::close);
    }
}
