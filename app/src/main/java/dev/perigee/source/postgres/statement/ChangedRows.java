package dev.perigee.source.postgres.statement;

import dev.perigee.source.SourceTable;
import java.util.Optional;

/// Finds rows that may have come after a moment, by the number of the transaction that wrote them.
///
/// A row that a snapshot did not show was written by a transaction that had not ended then, and those have numbers from
/// the snapshot's `xmin` on; parts of transactions (savepoints) have numbers of their own above that of the whole. So
/// every row from `xmin` on is taken, which is more than have changed: exact visibility cannot be asked for.
///
/// @param now the snapshot that is read
/// @param isReadable whether our user may read the system's columns, `xmin` among them
public record ChangedRows(PostgresMoment now, boolean isReadable) {
    /// Half of the numbers there are: rows keep 32 bits of them, which say before and after only within this distance.
    private static final long HALF = 1L << 31;

    private static final long MASK = 0xffff_ffffL;

    /// A condition on the row `r`; empty where all rows must be taken: where the number may not be read; rows of views
    /// and foreign tables have no such number, and after two thousand million transactions it says nothing.
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
