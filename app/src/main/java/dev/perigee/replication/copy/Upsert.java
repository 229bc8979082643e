package dev.perigee.replication.copy;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Writes a batch's rows into a copy and counts exactly what that changed.
///
/// A row whose key is new is inserted. A row whose key exists is updated only if a value differs, so an identical row
/// costs one lookup and writes nothing. Two statements are used because one `DO UPDATE` cannot tell inserted, updated
/// and unchanged rows apart.
public final class Upsert {
    private final String table;
    private final String insert;
    private final String update;
    private final CopyDefinition definition;
    private final Optional<SoftDeletes> soft;
    private final LeavingRows leaving;

    /// @param table the table to write to, a copy or a shadow of `definition`
    public Upsert(CopyDefinition definition, String table) {
        this(definition, table, false);
    }

    /// @param isStage whether the table is a stage, which keeps rows that are marked as deleted for [#merge] to process
    public Upsert(CopyDefinition definition, String table, boolean isStage) {
        this.soft = isStage ? Optional.empty() : SoftDeletes.of(definition, table);
        this.leaving = new LeavingRows(definition, table, isStage);
        List<String> columns = definition.columnNames();
        this.table = table;
        this.definition = definition;
        this.insert = "INSERT INTO %s (%s) VALUES (%s)%s"
                .formatted(
                        quoted(table),
                        quoted(columns),
                        IntStream.rangeClosed(1, columns.size())
                                .mapToObj(i -> "?" + i)
                                .collect(Collectors.joining(",")),
                        onConflict());
        this.update = updateOf(table, columns, definition.key());
    }

    /// Applies all rows of the batch in the caller's transaction. A row that cannot be stored is thrown.
    public RowCounts apply(Transaction tx, Batch batch) {
        return apply(tx, batch, RowRefusals.NONE);
    }

    /// As [#apply(Transaction, Batch)], but tells `refusals` of each row that cannot be stored. SQLite has then undone
    /// the row's own statement and nothing else.
    public RowCounts apply(Transaction tx, Batch batch, RowRefusals refusals) {
        return apply(tx, batch, refusals, false);
    }

    private RowCounts apply(Transaction tx, Batch batch, RowRefusals refusals, boolean mustBeNew) {
        SqliteConnection connection = tx.connection();
        SqliteStatement inserting = tx.statement(insert);
        SqliteStatement updating = update.isEmpty() ? null : tx.statement(update);
        long inserted = 0;
        long updated = 0;
        long deleted = 0;
        long refused = 0;
        long outside = 0; // leaving rows that the table did not have
        for (int row = 0; row < batch.rowCount(); row++) {
            boolean isLeaving = batch.isLeaving(row);
            if (isLeaving || (soft.isPresent() && soft.get().isMarked(batch, row))) {
                long removed = leaving.remove(tx, batch, row);
                deleted += removed;
                if (isLeaving && removed == 0) outside++;
                continue;
            }
            String running = insert;
            try {
                batch.bind(row, inserting);
                inserting.run();
                if (connection.changes() == 1) {
                    inserted++;
                } else if (mustBeNew) {
                    refused++;
                    refusals.refused(row, sameKey(table));
                } else if (updating != null) {
                    running = update;
                    batch.bind(row, updating);
                    updating.run();
                    updated += connection.changes();
                }
            } catch (SqliteException e) {
                if (!RowFaults.isOfRow(e, connection, running)) throw e;
                refused++;
                refusals.refused(row, e);
            }
        }
        long unchanged = batch.rowCount() - inserted - updated - deleted - refused - outside;
        return new RowCounts(inserted, updated, deleted, unchanged);
    }

    /// As [#apply], for rows of one snapshot that go into an empty table, so that none of them can be there yet.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#KEY_MISSING] if two rows have the same key
    public RowCounts load(Transaction tx, Batch batch) {
        return load(tx, batch, RowRefusals.NONE);
    }

    /// As [#load(Transaction, Batch)], but tells `refusals` of each row that cannot be stored. Of several rows with the
    /// same key, all but the first are refused.
    public RowCounts load(Transaction tx, Batch batch, RowRefusals refusals) {
        return apply(tx, batch, refusals, true);
    }

    /// The fault for rows of the source that have the same key.
    public static PerigeeException sameKey(String table) {
        return Fault.KEY_MISSING.in(
                "table " + table,
                "the key does not identify a row: the source has several rows with the same values in all key columns",
                "Only one of these rows is in the copy",
                "name columns as `key` that no two rows share: `perigee tables set %s --key COLUMN,…`"
                        .formatted(Remedies.word(table)));
    }

    /// Merges the rows of this stage into `copy`, with the same result as [#apply]. All rows are merged at once; if
    /// that fails because of a single row, the rows are applied one by one.
    ///
    /// @param refusals is told of rows that cannot be stored, when they are applied one by one
    public RowCounts merge(Transaction tx, String copy, GatheredRows.Refused refusals) {
        SqliteConnection connection = tx.connection();
        connection.exec("SAVEPOINT merging");
        try {
            RowCounts counts = merge(tx, copy);
            connection.exec("RELEASE merging");
            return counts;
        } catch (SqliteException e) {
            if (!RowFaults.isOfRow(e, connection, "SELECT 1")) throw e;
            connection.exec("ROLLBACK TO merging; RELEASE merging");
            long deleted = leaving.removeAll(tx, copy);
            Upsert upsert = new Upsert(definition, copy);
            return new GatheredRows(definition, table)
                    .each(tx, batch -> upsert.apply(tx, batch, (row, reason) -> refusals.refused(batch, row, reason)))
                    .plus(new RowCounts(0, 0, deleted, 0));
        }
    }

    private RowCounts merge(Transaction tx, String copy) {
        List<String> columns = definition.columnNames();
        SqliteConnection connection = tx.connection();
        Optional<SoftDeletes> marks = SoftDeletes.of(definition, copy);
        long left = leaving.removeAll(tx, copy);
        long deleted = marks.map(soft -> soft.removeAll(tx, table)).orElse(0L);
        String isUnmarked = marks.map(soft -> "NOT " + soft.condition()).orElse("true");
        connection.exec("INSERT INTO %s (%s) SELECT %s FROM %s WHERE %s%s"
                .formatted(quoted(copy), quoted(columns), quoted(columns), quoted(table), isUnmarked, onConflict()));
        long inserted = connection.changes();
        List<String> others =
                columns.stream().filter(c -> !definition.key().contains(c)).toList();
        long updated = 0;
        if (!others.isEmpty() && !definition.key().isEmpty()) {
            connection.exec(mergeUpdate(copy, others));
            updated = connection.changes();
        }
        SqliteStatement count = tx.statement("SELECT count(*) FROM " + quoted(table));
        try {
            count.step();
            return new RowCounts(inserted, updated, deleted + left, count.intAt(0) - inserted - updated - deleted);
        } finally {
            count.reset(); // while a statement still has rows to return, the table cannot be dropped
        }
    }

    /// `CROSS JOIN` fixes the join order: from the few rows of the stage to those of the copy, never the other way
    /// round.
    private String mergeUpdate(String copy, List<String> others) {
        return """
                UPDATE %1$s SET (%2$s) = (SELECT %3$s FROM %4$s AS s WHERE %5$s)
                WHERE (%6$s) IN (SELECT %7$s FROM %4$s AS s CROSS JOIN %1$s AS c WHERE %8$s AND (%9$s) IS NOT (%3$s))""".formatted(
                        quoted(copy),
                        quoted(others),
                        qualified("s", others),
                        quoted(table),
                        sameKey("s", quoted(copy)),
                        quoted(definition.key()),
                        qualified("s", definition.key()),
                        sameKey("s", "c"),
                        qualified("c", others));
    }

    private String sameKey(String one, String other) {
        return definition.key().stream()
                .map(k -> "%s.%3$s = %2$s.%3$s".formatted(one, other, quoted(k)))
                .collect(Collectors.joining(" AND "));
    }

    private static String qualified(String alias, List<String> columns) {
        return columns.stream().map(c -> alias + "." + quoted(c)).collect(Collectors.joining(", "));
    }

    /// Rows of a copy without a key are always inserted, never updated.
    private String onConflict() {
        return definition.key().isEmpty() ? "" : " ON CONFLICT (%s) DO NOTHING".formatted(quoted(definition.key()));
    }

    /// Compares one row value instead of a chain of ORs: SQLite limits the depth of an expression, and a table may have
    /// more columns than that limit.
    private static String updateOf(String table, List<String> columns, List<String> key) {
        List<Integer> others = IntStream.range(0, columns.size())
                .filter(i -> !key.contains(columns.get(i)))
                .boxed()
                .toList();
        if (others.isEmpty() || key.isEmpty()) return "";
        return "UPDATE %s SET %s WHERE %s AND (%s) IS NOT (%s)"
                .formatted(
                        quoted(table),
                        others.stream()
                                .map(i -> quoted(columns.get(i)) + "=?" + (i + 1))
                                .collect(Collectors.joining(",")),
                        key.stream()
                                .map(k -> quoted(k) + "=?" + (columns.indexOf(k) + 1))
                                .collect(Collectors.joining(" AND ")),
                        quoted(others.stream().map(columns::get).toList()),
                        others.stream().map(i -> "?" + (i + 1)).collect(Collectors.joining(",")));
    }
}
