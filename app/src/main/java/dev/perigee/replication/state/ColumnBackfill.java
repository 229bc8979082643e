package dev.perigee.replication.state;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.KeyText;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Columns that were added to a copy and are being filled for the rows that it already had.
///
/// Rows are taken in rowid order of the copy, up to [#ROWS_PER_SYNC] in each sync. They are fetched by their keys in
/// the sync's own snapshot, and always whole. So a row never mixes values of two moments. Rows that arrive later have
/// the columns from the beginning.
///
/// @param columns names of the columns being filled
/// @param after rowid of the copy up to which the columns are filled
/// @param upTo greatest rowid of the copy when the columns were added
/// @param rows rows fetched so far
public record ColumnBackfill(List<String> columns, long after, long upTo, long rows) {
    /// Rows fetched for a column backfill in one sync at most, so that new rows never wait for long.
    public static final int ROWS_PER_SYNC = 100_000;

    public ColumnBackfill {
        columns = List.copyOf(columns);
    }

    /// Rows to fetch together.
    ///
    /// @param keys the rows' keys, in the source's text form
    /// @param last rowid of the last of these rows
    public record Chunk(List<List<String>> keys, long last) {}

    public boolean isDone() {
        return after >= upTo;
    }

    public ColumnBackfill after(Chunk chunk) {
        return new ColumnBackfill(
                columns, chunk.last(), upTo, rows + chunk.keys().size());
    }

    public ColumnBackfill ended() {
        return new ColumnBackfill(columns, upTo, upTo, rows);
    }

    /// A backfill of `columns` that begins at the first row of the copy.
    public static ColumnBackfill of(Transaction tx, CopyDefinition copy, List<String> columns) {
        SqliteStatement range = tx.statement("SELECT coalesce(min(%1$s), 1) - 1, coalesce(max(%1$s), 0) FROM %2$s"
                .formatted(copy.rowid().orElseThrow(), quoted(copy.target())));
        try {
            range.step();
            return new ColumnBackfill(columns, range.intAt(0), range.intAt(1), 0);
        } finally {
            range.reset();
        }
    }

    /// Whether rows can be fetched by the keys that the copy has. The copy's key must be the source's own, so that an
    /// index finds the rows. Each key value must have a text that the source reads as the same value.
    public static boolean isPossible(TableConfig config, SourceTable table, CopyDefinition definition) {
        boolean isFound = !definition.key().isEmpty()
                && definition.key().equals(table.key().columns());
        return isFound
                && definition.key().stream()
                        .map(name -> table.column(name).orElseThrow())
                        .noneMatch(column -> isOneWay(column, config));
    }

    private static boolean isOneWay(SourceColumn column, TableConfig config) {
        boolean isEpoch = config.timestamps() == TableConfig.TimestampStorage.EPOCH_MICROS;
        return column.values().structure().isPresent()
                || (isEpoch && column.option() == SourceColumn.Option.TIMESTAMPS);
    }

    /// The next rows to fetch; empty where none are left.
    public Optional<Chunk> next(Transaction tx, CopyDefinition copy, SourceTable table) {
        List<String> key = copy.key();
        SqliteStatement rows =
                tx.statement("SELECT %1$s, %2$s FROM %3$s WHERE %1$s > ?1 AND %1$s <= ?2 ORDER BY %1$s LIMIT %4$d"
                        .formatted(
                                copy.rowid().orElseThrow(), quoted(key), quoted(copy.target()), Scope.Keys.MAX_KEYS));
        try {
            rows.bindInt(1, after).bindInt(2, upTo);
            List<List<String>> keys = new ArrayList<>();
            long last = after;
            while (rows.step()) {
                List<String> texts = new ArrayList<>();
                for (int i = 0; i < key.size(); i++) {
                    Value value = rows.valueAt(i + 1);
                    KeyText.of(value, table.column(key.get(i)).orElseThrow(), false)
                            .ifPresent(texts::add);
                }
                if (texts.size() == key.size()) keys.add(texts);
                last = rows.intAt(0);
            }
            return keys.isEmpty() ? Optional.empty() : Optional.of(new Chunk(keys, last));
        } finally {
            rows.reset();
        }
    }
}
