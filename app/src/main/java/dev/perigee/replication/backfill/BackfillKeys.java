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

/// The rows of a copy by rowid, each with its key as the source reads it.
///
/// SQLite's order of texts may differ from the source's, so a range is applied here only to keys of integers; of all
/// other rows the source is asked whether they lie in it.
final class BackfillKeys {
    private final CopyDefinition definition;
    private final SourceText text;
    private final String rowid;

    BackfillKeys(CopyDefinition definition, SourceText text) {
        this.definition = definition;
        this.text = text;
        this.rowid = definition
                .rowid()
                .orElseThrow(() -> BackfillScope.invalid("the copy's columns hide SQLite's row numbers"));
    }

    /// @param last the last row that was looked at
    /// @param keys of those that can be asked for at the source
    /// @param looked rows
    record Looked(Optional<Long> last, List<Missing> keys, int looked) {}

    /// The next rows of a range.
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

    /// The rows whose key is this text, if there are any.
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

    /// The key of one row; empty where it is gone.
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

    /// What a text is in a column that does not turn it into what it keeps by itself.
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
