package dev.perigee.source.postgres.statement;

import dev.perigee.source.SourceTable;
import java.util.Optional;

/// Finds rows that may have changed after a moment, by the number of the transaction that wrote them.
///
/// A row that a snapshot did not show was written by a transaction that had not ended then. Such transactions have
/// numbers from the snapshot's `xmin` on. Parts of a transaction (savepoints) have numbers of their own, above that of
/// the whole. So every row from `xmin` on is taken, which is more than have changed: exact visibility cannot be asked
/// for.
///
/// @param now the snapshot in which rows are read
/// @param isReadable whether our user may read the system columns, `xmin` among them
public record ChangedRows(PostgresMoment now, boolean isReadable) {
    /// Half of all transaction numbers. Rows keep 32 bits of a number, which tell before from after only within this
    /// distance.
    private static final long HALF = 1L << 31;

    private static final long MASK = 0xffff_ffffL;

    /// A condition on the row `r`; empty where all rows must be taken. That is so where the number may not be read, and
    /// for views and foreign tables, whose rows have no such number. It is also so after 2^31 transactions, when the
    /// number says nothing any more.
    public Optional<String> since(SourceTable table, String mark) {
        boolean hasNumbers = switch (table.kind()) {
            case TABLE, PARTITIONED_TABLE, MATERIALIZED_VIEW -> true;
            case VIEW, FOREIGN_TABLE -> false;
        };
        long from = PostgresMoment.of(mark).xmin();
        if (!isReadable || !hasNumbers || now.xmax() - from >= HALF || now.xmax() < from) return Optional.empty();
        return Optional.of(
                "((r.xmin::pg_catalog.text::pg_catalog.int8 - %d) & %d) < %d".formatted(from & MASK, MASK, HALF));
    }
}
