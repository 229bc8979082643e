package dev.perigee.replication.backfill;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.replication.backfill.BackfillRecords.Missing;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Reads the rows of a copy in the order of the rowid, each with its key as texts that the source can read.
///
/// SQLite may order texts differently from the source. So a range of keys is applied here only if the key's columns are
/// integers. For all other keys the source decides whether a row lies in the range.
final class BackfillKeys {
    private final CopyDefinition definition;
    private final SourceText text;
    private final String rowid;

    BackfillKeys(CopyDefinition definition, SourceText text) {
        this.definition = definition;
        this.text = text;
        this.rowid = definition
                .rowid()
                .orElseThrow(() -> BackfillScope.invalid(
                        "the copy has columns named rowid, _rowid_ and oid, so its rowid cannot be addressed"));
    }

    /// A portion of the copy's rows.
    ///
    /// @param last the rowid of the last row read, or the one given if there was none
    /// @param keys the rows whose keys the source can be asked for
    /// @param looked the number of rows read
    record Looked(Optional<Long> last, List<Missing> keys, int looked) {}

    /// Reads the next rows of the backfill's range.
    ///
    /// @param after the rowid after which to continue; empty for the beginning
    Looked next(Transaction tx, BackfillScope scope, Optional<Long> after, int limit) {
        List<String> conditions = new ArrayList<>();
        conditions.add("(?1 IS NULL OR %s > ?1)".formatted(rowid));
        List<Value> values = new ArrayList<>();
        bound(scope.from(), ">=", conditions, values);
        bound(scope.to(), "<=", conditions, values);
        SqliteStatement rows = tx.statement("SELECT %s, %s FROM %s WHERE %s ORDER BY %s LIMIT %d"
                .formatted(
                        rowid,
                        quoted(definition.key()),
                        quoted(definition.target()),
                        String.join(" AND ", conditions),
                        rowid,
                        limit));
        if (after.isPresent()) rows.bindInt(1, after.get());
        else rows.bindNull(1);
        for (int i = 0; i < values.size(); i++) rows.bind(i + 2, values.get(i));
        return looked(rows, after);
    }

    /// The rows whose key has these texts, if there are any: one text per key column, in the source's form.
    Looked withKey(Transaction tx, List<String> key) {
        List<String> conditions = new ArrayList<>();
        for (int i = 0; i < key.size(); i++) {
            conditions.add("%s IN (?%d, ?%d)".formatted(quoted(definition.key().get(i)), 2 * i + 1, 2 * i + 2));
        }
        SqliteStatement rows = tx.statement("SELECT %s, %s FROM %s WHERE %s"
                .formatted(
                        rowid,
                        quoted(definition.key()),
                        quoted(definition.target()),
                        String.join(" AND ", conditions)));
        for (int i = 0; i < key.size(); i++) {
            rows.bindText(2 * i + 1, key.get(i)).bind(2 * i + 2, stored(column(i), key.get(i)));
        }
        return looked(rows, Optional.empty());
    }

    /// The key of one row as JSON; empty if the row is gone.
    Optional<String> at(Transaction tx, long row) {
        SqliteStatement rows = tx.statement("SELECT %s, %s FROM %s WHERE %s = ?1"
                .formatted(rowid, quoted(definition.key()), quoted(definition.target()), rowid));
        return looked(rows.bindInt(1, row), Optional.empty()).keys().stream()
                .map(Missing::key)
                .findFirst();
    }

    void delete(Transaction tx, long row) {
        tx.statement("DELETE FROM %s WHERE %s = ?1".formatted(quoted(definition.target()), rowid))
                .bindInt(1, row)
                .run();
    }

    private Looked looked(SqliteStatement rows, Optional<Long> after) {
        List<Missing> keys = new ArrayList<>();
        Optional<Long> last = after;
        int looked = 0;
        while (rows.step()) {
            long row = rows.intAt(0);
            List<Value> values = new ArrayList<>();
            for (int i = 0; i < definition.key().size(); i++) values.add(rows.valueAt(i + 1));
            text.key(values).ifPresent(key -> keys.add(new Missing(row, key)));
            last = Optional.of(row);
            looked++;
        }
        return new Looked(last, keys, looked);
    }

    /// Adds the condition for one end of the range, if all its texts are integers for INTEGER columns.
    private void bound(Optional<List<String>> bound, String operator, List<String> conditions, List<Value> values) {
        if (bound.isEmpty()) return;
        List<Value> numbers = new ArrayList<>();
        for (int i = 0; i < bound.get().size(); i++) {
            OptionalLong number = integer(bound.get().get(i));
            if (!column(i).declaredType().equals("INTEGER") || number.isEmpty()) return;
            numbers.add(new Value.Int(number.getAsLong()));
        }
        List<String> parameters = new ArrayList<>();
        for (Value number : numbers) {
            values.add(number);
            parameters.add("?" + (values.size() + 1));
        }
        conditions.add("(%s) %s (%s)".formatted(quoted(definition.key()), operator, String.join(",", parameters)));
    }

    private CopyColumn column(int keyPart) {
        String name = definition.key().get(keyPart);
        return definition.columns().stream()
                .filter(column -> column.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /// The value that a column stores for this text. Needed for BLOB columns and columns without a declared type, whose
    /// affinity does not convert a text that is compared with them.
    private static Value stored(CopyColumn column, String text) {
        if (column.declaredType().equals("BLOB") && text.startsWith("\\x")) {
            try {
                return new Value.Blob(java.nio.ByteBuffer.wrap(HexFormat.of().parseHex(text.substring(2))));
            } catch (IllegalArgumentException e) {
                return new Value.Text(text);
            }
        }
        if (!column.declaredType().isEmpty()) return new Value.Text(text);
        OptionalLong integer = integer(text);
        if (integer.isPresent()) return new Value.Int(integer.getAsLong());
        try {
            double number = Double.parseDouble(text);
            return Double.isNaN(number) ? new Value.Text(text) : new Value.Real(number);
        } catch (NumberFormatException e) {
            return new Value.Text(text);
        }
    }

    private static OptionalLong integer(String text) {
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }
}
