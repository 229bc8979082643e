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

/// Puts a batch's rows into a copy and says exactly what that changed.
///
/// A row is inserted where its key is new. Where it is not, it is updated only if a value differs, so a row that is the
/// same costs a look-up and writes nothing. Two statements tell the three cases apart, which one `DO UPDATE` cannot.
public final class Upsert {
    private final String table;
    private final String insert;
    private final String update;
    private final CopyDefinition definition;
    private final Optional<SoftDeletes> soft;

    /// @param table the table to write to, a copy or a shadow of `definition`
    public Upsert(CopyDefinition definition, String table) {
        this(definition, table, false);
    }

    /// @param isStage whether rows that are marked as deleted stay in the table, for [#merge] to see
    public Upsert(CopyDefinition definition, String table, boolean isStage) {
        this.soft = isStage ? Optional.empty() : SoftDeletes.of(definition, table);
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

    /// Applies all rows. Rows the copy has already are compared and, where they differ, updated.
    public RowCounts apply(Transaction tx, Batch batch) {
        return apply(tx, batch, RowRefusals.NONE);
    }

    /// As [#apply(Transaction, Batch)]. A row that cannot be stored is told to `refusals`; SQLite has undone then what
    /// its statement did, and only that.
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
        for (int row = 0; row < batch.rowCount(); row++) {
            if (soft.isPresent() && soft.get().isMarked(batch, row)) {
                deleted += soft.get().remove(tx, batch, row);
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
        return new RowCounts(inserted, updated, deleted, batch.rowCount() - inserted - updated - deleted - refused);
    }

    /// As [#apply], for rows of which none can be there yet: they are of one snapshot and go into an empty table.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#KEY_MISSING] where two rows have the same key
    public RowCounts load(Transaction tx, Batch batch) {
        return load(tx, batch, RowRefusals.NONE);
    }

    /// As [#load(Transaction, Batch)]; of rows with the same key all but the first are refused.
    public RowCounts load(Transaction tx, Batch batch, RowRefusals refusals) {
        return apply(tx, batch, refusals, true);
    }

    /// Two rows of the source have one key.
    public static PerigeeException sameKey(String table) {
        return Fault.KEY_MISSING.in(
                "table " + table,
                "the columns that should identify a row do not: the source has rows that agree in all of them",
                "One of them is in the copy",
                "name columns as `key` that no two rows share: `perigee tables set %s --key COLUMN,…`"
                        .formatted(Remedies.word(table)));
    }

    /// Puts the rows gathered in this table into `copy`, as [#apply] would have done; all at once, and one by one where
    /// that fails on a row.
    ///
    /// @param refusals of rows in the batches that are made of them then
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
            Upsert upsert = new Upsert(definition, copy);
            return new GatheredRows(definition, table)
                    .each(tx, batch -> upsert.apply(tx, batch, (row, reason) -> refusals.refused(batch, row, reason)));
        }
    }

    private RowCounts merge(Transaction tx, String copy) {
        List<String> columns = definition.columnNames();
        SqliteConnection connection = tx.connection();
        Optional<SoftDeletes> marks = SoftDeletes.of(definition, copy);
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
            return new RowCounts(inserted, updated, deleted, count.intAt(0) - inserted - updated - deleted);
        } finally {
            count.reset(); // a statement with rows to come would keep the table from being dropped
        }
    }

    /// `CROSS JOIN` keeps the order: from the few rows gathered to those of the copy, never the other way round.
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

    /// Rows of a copy without a key are only ever added.
    private String onConflict() {
        return definition.key().isEmpty() ? "" : " ON CONFLICT (%s) DO NOTHING".formatted(quoted(definition.key()));
    }

    /// The comparison is one row value and not a chain of ORs: SQLite limits how deep an expression may be, and a table
    /// may have more columns than that.
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
