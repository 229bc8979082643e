package dev.perigee.source.postgres.log;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Receives what the stream tells, on the thread that reads it. Transactions come whole, one after another, in the
/// order in which they committed. Tuples are valid only until the method returns.
///
/// Positions are WAL positions as numbers, in bytes.
public interface LogChanges {
    /// @param commit the position of the transaction's commit record
    /// @param committed the time of the commit by the server's clock
    /// @param transaction the lower 32 bits of the transaction's number
    void begin(long commit, Instant committed, int transaction);

    /// The table that the following changes name, or its new definition.
    void relation(LogRelation relation);

    void insert(LogRelation relation, LogTuple row);

    /// @param before what the stream tells of the row's old values; null where its identity did not change and is in
    ///     `row`
    /// @param isWhole whether `before` has all columns; else only those of the identity have values, and the others are
    ///     NULL
    void update(LogRelation relation, @Nullable LogTuple before, boolean isWhole, LogTuple row);

    /// @param isWhole as for [#update]
    void delete(LogRelation relation, LogTuple before, boolean isWhole);

    /// @param relations all tables emptied by one statement, cascades included
    void truncate(List<LogRelation> relations);

    /// @param end the position after the transaction. A stream that is started there does not repeat it
    void commit(long end);
}
