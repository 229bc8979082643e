package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.store.Transaction;

/// Compares the source's rows, as they come, with the copy's, in a series of read transactions. Between these the copy
/// may change, so a row that differs is only a suspect. A row inserted into the copy after the check began does not
/// count as extra. Used by one thread at a time.
interface Comparison extends AutoCloseable {
    /// About how many rows are compared in one read transaction. A longer transaction would keep checkpoints from
    /// emptying the WAL.
    int SLICE_ROWS = 50_000;

    /// Continues in a new transaction. Statements of the previous one are dropped.
    void begin(Transaction tx);

    /// Compares the next rows of the source, inside the transaction begun last.
    void compare(Batch rows);

    /// Looks for rows of the copy that the source did not send, at most [#SLICE_ROWS] in one call. Called after the
    /// source's last row.
    ///
    /// @return whether rows of the copy are left to look at
    boolean rest();

    @Override
    void close();

    /// The comparison that suits the copy's key: [OrderedComparison] if the key is the rowid, else [LookupComparison].
    ///
    /// @param tx a transaction that sees the copy as it is when the check begins
    static Comparison of(CheckTarget copy, Transaction tx, Suspects suspects) {
        return copy.isKeyRowid() ? new OrderedComparison(copy, tx, suspects) : new LookupComparison(copy, tx, suspects);
    }
}
