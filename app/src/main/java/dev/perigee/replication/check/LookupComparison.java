package dev.perigee.replication.check;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.batch.RowidSet;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Compares a copy with its source by looking up each row of the source in the copy. It works for keys of any type. The
/// source sends rows in physical order, and the rowid of each match is remembered as one bit. Rows of the copy whose
/// bit is not set in the end may be extra. No sort order is used, so the source's collation does not matter.
final class LookupComparison implements Comparison {
    private final CheckTarget checked;
    private final Suspects suspects;
    private final int[] keyColumns;
    private final String select;
    private final String selectRest;

    /// The copy's greatest rowid when the check began; 0 if it had no row.
    private final long greatest;

    private final RowidSet met;
    private long from = Long.MIN_VALUE;
    private @Nullable Transaction transaction;
    private @Nullable SqliteStatement lookup;

    /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_LARGE] if the copy has a rowid above [RowidSet#MAX_ROWID];
    ///     [Fault#INVALID_REQUEST] if its columns have taken all names of the rowid
    LookupComparison(CheckTarget copy, Transaction tx, Suspects suspects) {
        this.checked = copy;
        this.suspects = suspects;
        this.keyColumns = copy.keyColumns();
        String table = quoted(copy.target());
        String rowid = rowid(copy);
        List<String> key = copy.definition().key();
        this.select = "SELECT %s, %s FROM %s WHERE %s"
                .formatted(
                        rowid,
                        quoted(copy.definition().columnNames()),
                        table,
                        IntStream.range(0, key.size())
                                .mapToObj(i -> quoted(key.get(i)) + "=?" + (i + 1))
                                .collect(Collectors.joining(" AND ")));
        this.selectRest = "SELECT %3$s, %1$s FROM %2$s WHERE %1$s BETWEEN ?1 AND ?2 ORDER BY %1$s LIMIT %4$d"
                .formatted(rowid, table, quoted(key), SLICE_ROWS);
        SqliteStatement last = tx.statement("SELECT max(%s) FROM %s".formatted(rowid, table));
        last.step();
        this.greatest = last.intAt(0); // 0 for NULL, in a copy without rows
        last.reset();
        this.met = new RowidSet(greatest);
    }

    @Override
    public void begin(Transaction tx) {
        transaction = tx;
        lookup = tx.statement(select);
    }

    @Override
    public void compare(Batch rows) {
        SqliteStatement copy = lookup;
        if (copy == null) throw new IllegalStateException("no transaction was begun");
        for (int row = 0; row < rows.rowCount(); row++) {
            for (int i = 0; i < keyColumns.length; i++) rows.bindCell(row, keyColumns[i], copy, i + 1);
            boolean isWanted = checked.isWanted(rows, row);
            boolean isThere = copy.step();
            boolean isRight = isWanted ? isThere && rows.isSame(row, copy, 1) : !isThere;
            if (isThere) {
                met.add(copy.intAt(0));
                copy.reset();
            }
            if (!isRight) suspects.add(StoredKey.of(rows, row, keyColumns));
        }
    }

    @Override
    public boolean rest() {
        Transaction tx = transaction;
        if (tx == null || from > greatest) return false;
        SqliteStatement copy = tx.statement(selectRest).bindInt(1, from).bindInt(2, greatest);
        int keySize = keyColumns.length;
        int seen = 0;
        while (copy.step()) {
            long rowid = copy.intAt(keySize);
            if (!met.contains(rowid)) suspects.add(StoredKey.of(copy, keySize));
            from = rowid + 1; // no overflow: RowidSet takes no `greatest` near the limit
            seen++;
        }
        return seen == SLICE_ROWS;
    }

    @Override
    public void close() {
        met.close();
    }

    private static String rowid(CheckTarget copy) {
        return copy.definition()
                .rowid()
                .orElseThrow(() -> Fault.INVALID_REQUEST.in(
                        copy.where(),
                        "it has columns named rowid, _rowid_ and oid, so the rowid of its copy cannot be addressed",
                        "Nothing was changed",
                        "leave one of the three columns out with `exclude`"));
    }
}
