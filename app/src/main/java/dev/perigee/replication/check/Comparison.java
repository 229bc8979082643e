package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.store.Transaction;

/// Compares the source's rows, as they come, with those of the copy, in one read transaction after another. Meanwhile
/// the copy may change, so what differs is suspect and no more. Rows that were put into the copy after the check began
/// are not missed at the source. Used by one thread at a time.
interface Comparison extends AutoCloseable {
    /// Rows looked at in one read transaction, about: a longer one would keep the WAL from being emptied.
    int SLICE_ROWS = 50_000;

    /// Goes on in another transaction; what was asked of the last one is forgotten.
    void begin(Transaction tx);

    /// Compares the next rows of the source.
    void compare(Batch rows);

    /// After the source's last row: looks at more of the copy's rows that were not met.
    ///
    /// @return whether there is more to look at
    boolean rest();

    @Override
    void close();

    /// The way that suits the copy's key.
    ///
    /// @param tx sees the copy as it is when the check begins
    static Comparison of(CheckTarget copy, Transaction tx, Suspects suspects) {
        return copy.isKeyRowid() ? new OrderedComparison(copy, tx, suspects) : new LookupComparison(copy, tx, suspects);
    }
}
