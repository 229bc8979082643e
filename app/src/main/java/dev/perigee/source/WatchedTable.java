package dev.perigee.source;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// A table that is pulled by a cursor, and what must be known to tell without a sync whether one would find anything.
///
/// @param table as it was described for the last sync
/// @param key the columns of the copy's key, none of which may be NULL
/// @param seen the greatest mark pulled; empty while no row was
/// @param looked the mark of the last snapshot in which everything late, and every row without a cursor, was pulled
/// @param late rows that may still come late; empty where everything up to `seen` is sealed
/// @param lastNumber the last number that the cursor's sequence had handed out at the last sync; empty where that is
///     not known
/// @param definition the table's definition at the last sync, or before it
/// @param end the end of the table at the last look that found nothing greater than `seen`
public record WatchedTable(
        SourceTable table,
        String cursorColumn,
        List<String> key,
        Optional<HighWaterMark> seen,
        Optional<String> looked,
        Optional<Late> late,
        Optional<Long> lastNumber,
        TableDefinition definition,
        Optional<End> end) {

    /// Rows that may still come late.
    ///
    /// @param scope the rows to look for
    /// @param isDecided whether a sync could seal more of the table, from what the source knows of open transactions
    public record Late(Scope.Late scope, Predicate<Horizon> isDecided) {}

    /// The end of a table, in the source's own words.
    ///
    /// @param greatest its greatest `(cursor, key…)`; empty where no row has a cursor
    /// @param withoutCursor a fingerprint of the rows whose cursor is NULL; empty where there can be none
    /// @param lastNumber the last number that the cursor's sequence handed out; empty where it has none
    public record End(Optional<String> greatest, Optional<String> withoutCursor, Optional<Long> lastNumber) {}

    /// Whether the cursor's sequence was set back until `now`, so that new rows may get numbers that were handed out
    /// before.
    public boolean isSetBack(End now) {
        Optional<Long> before = end.flatMap(End::lastNumber).or(() -> lastNumber);
        return before.isPresent()
                && !definition.sequences().isEmpty()
                && now.lastNumber().filter(last -> last >= before.get()).isEmpty();
    }

    /// Whether rows of the table may have no cursor.
    public boolean mayLackCursor() {
        return !table.column(cursorColumn).map(SourceColumn::isNotNull).orElse(false);
    }

    /// The same table, with the definition that was read before its last sync.
    public WatchedTable definedAs(TableDefinition before) {
        return new WatchedTable(table, cursorColumn, key, seen, looked, late, lastNumber, before, end);
    }

    /// The same table, with what a look has confirmed.
    public WatchedTable confirmed(TableDefinition now, End found) {
        return new WatchedTable(table, cursorColumn, key, seen, looked, late, lastNumber, now, Optional.of(found));
    }
}
