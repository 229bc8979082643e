package dev.perigee.query;

import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Cancellation;
import java.util.ArrayList;
import java.util.List;

/// Runs a bound statement and passes its rows on, one at a time.
final class RowReader {
    /// Receives a statement's rows, and reads them from SQLite itself.
    interface Target {
        /// Called once, before any row, also when there is none.
        void columns(List<String> names);

        /// Receives the current row of `statement`.
        ///
        /// @return false to stop early
        boolean row(SqliteStatement statement, int columnCount);
    }

    private final Cancellation cancellation;

    RowReader(Cancellation cancellation) {
        this.cancellation = cancellation;
    }

    Meta run(CallerConnection lent, SqliteStatement statement, Target target) {
        long changesBefore = lent.changes();
        cancellation.check();
        // The first step comes before the names: it may find that the schema has changed, and with it the columns.
        boolean hasRow = statement.step();
        int columnCount = statement.columnCount();
        target.columns(names(statement, columnCount));
        long rowCount = 0;
        boolean wantsMore = true;
        while (hasRow && wantsMore) {
            wantsMore = target.row(statement, columnCount);
            rowCount++;
            cancellation.check();
            hasRow = statement.step();
        }
        long written = statement.isReadonly() ? 0 : lent.changes() - changesBefore;
        return new Meta(rowCount, written);
    }

    private static List<String> names(SqliteStatement statement, int columnCount) {
        List<String> names = new ArrayList<>(columnCount);
        for (int column = 0; column < columnCount; column++) names.add(statement.columnName(column));
        return List.copyOf(names);
    }
}
