package dev.perigee.replication.check;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Transaction;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The comparison for a copy whose key is its rowid: both sides are read in the order of the key and merged.
final class OrderedComparison implements Comparison {
    private final CheckTarget checked;
    private final Suspects suspects;
    private final String select;
    private final String selectRest;
    private final int keyColumn;

    /// The copy's greatest key when the check began; [Long#MIN_VALUE] if it had no row.
    private final long greatest;

    /// All rows with a smaller key have been compared.
    private long from = Long.MIN_VALUE;

    private boolean isDone;
    private @Nullable Transaction transaction;
    private @Nullable SqliteStatement copyRows;
    private boolean hasRow;

    OrderedComparison(CheckTarget copy, Transaction tx, Suspects suspects) {
        this.checked = copy;
        this.suspects = suspects;
        this.keyColumn = copy.keyColumns()[0];
        String table = quoted(copy.target());
        String key = quoted(copy.definition().key().getFirst());
        this.select = "SELECT %s FROM %s WHERE %s >= ?1 ORDER BY %s"
                .formatted(quoted(copy.definition().columnNames()), table, key, key);
        this.selectRest = "SELECT %1$s FROM %2$s WHERE %1$s BETWEEN ?1 AND ?2 ORDER BY %1$s LIMIT %3$d"
                .formatted(key, table, SLICE_ROWS);
        SqliteStatement last = tx.statement("SELECT max(%s) FROM %s".formatted(key, table));
        last.step();
        this.greatest = last.type(0) == SqliteStatement.Type.NULL ? Long.MIN_VALUE : last.intAt(0);
        last.reset();
    }

    @Override
    public void begin(Transaction tx) {
        transaction = tx;
        copyRows = null;
    }

    @Override
    public void compare(Batch rows) {
        SqliteStatement copy = copyRows();
        for (int row = 0; row < rows.rowCount(); row++) {
            long key = rows.intAt(row, keyColumn);
            while (hasRow && copy.intAt(keyColumn) < key) {
                if (copy.intAt(keyColumn) <= greatest) suspects.add(key(copy.intAt(keyColumn)));
                hasRow = copy.step();
            }
            boolean isThere = hasRow && copy.intAt(keyColumn) == key;
            boolean isRight = checked.isWanted(rows, row) ? isThere && rows.isSame(row, copy, 0) : !isThere;
            if (!isRight) suspects.add(key(key));
            if (isThere) hasRow = copy.step();
            done(key);
        }
    }

    @Override
    public boolean rest() {
        if (isDone || from > greatest) return false;
        SqliteStatement copy = tx().statement(selectRest).bindInt(1, from).bindInt(2, greatest);
        int met = 0;
        while (copy.step()) {
            suspects.add(key(copy.intAt(0)));
            done(copy.intAt(0));
            met++;
        }
        return met == SLICE_ROWS;
    }

    @Override
    public void close() {}

    private SqliteStatement copyRows() {
        SqliteStatement rows = copyRows;
        if (rows == null) {
            rows = tx().statement(select).bindInt(1, from);
            hasRow = rows.step();
            copyRows = rows;
        }
        return rows;
    }

    private Transaction tx() {
        Transaction open = transaction;
        if (open == null) throw new IllegalStateException("no transaction was begun");
        return open;
    }

    private void done(long key) {
        isDone = key == Long.MAX_VALUE;
        from = isDone ? key : key + 1;
    }

    private static StoredKey key(long key) {
        return new StoredKey(List.of(new Value.Int(key)));
    }
}
