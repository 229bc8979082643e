package dev.perigee.source.postgres;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Pull;
import dev.perigee.source.Pull.Pass;
import dev.perigee.source.SourceColumn;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.postgresql.PGConnection;

/// One pull as a statement: which rows, in which order, and how each field of a row is read.
///
/// Rows are compared and ordered by the source, on `(cursor, key…)`, in its own types and collations. A mark travels as
/// text and is cast back to the column's type there, so nothing of it is lost.
final class PullStatement {
    private static final String ROW = "r"; // qualifies columns: a bare name in ORDER BY may mean an output column

    private final Pull pull;
    private final Map<String, CatalogColumn> catalog;
    private final List<String> selected = new ArrayList<>();
    private final List<Decoder> decoders = new ArrayList<>();
    private final int cellCount;
    private final Optional<Integer> cursorField;
    private final List<Integer> keyFields;

    /// @param columns of the table as the catalog has them in this transaction
    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_SCHEMA_CHANGED] where they are not those of the
    ///     pull
    PullStatement(Pull pull, List<CatalogColumn> columns) {
        this.pull = pull;
        this.catalog = columns.stream().collect(Collectors.toMap(CatalogColumn::name, Function.identity()));
        pull.columns().forEach(name -> select(name, reading(name)));
        this.cellCount = selected.size();
        this.cursorField =
                pull.pass() == Pass.WITH_CURSOR ? Optional.of(markField(pull.cursorColumn())) : Optional.empty();
        this.keyFields = pull.key().stream().map(this::markField).toList();
    }

    /// Fields in a row of the answer.
    int fieldCount() {
        return selected.size();
    }

    /// The schemas whose operators the comparison needs.
    Set<String> schemas() {
        Set<String> schemas = new TreeSet<>();
        order().forEach(name -> schemas.add(column(name).type().schema()));
        schemas.remove("pg_catalog");
        return schemas;
    }

    /// @param connection knows how it wants literals escaped: COPY takes no parameters
    String sql(PGConnection connection) throws SQLException {
        StringBuilder sql = new StringBuilder("COPY (SELECT ")
                .append(String.join(", ", selected))
                .append(" FROM ")
                .append(Quoted.table(pull.table().id()))
                .append(" AS ")
                .append(ROW);
        String condition = condition(connection);
        if (!condition.isEmpty()) sql.append(" WHERE ").append(condition);
        sql.append(" ORDER BY ")
                .append(order().stream().map(PullStatement::qualified).collect(Collectors.joining(", ")));
        return sql.append(") TO STDOUT (FORMAT BINARY)").toString();
    }

    /// Puts the row's cells into `batch`.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#KEY_MISSING] where a part of the key is NULL: the
    ///     comparison
    ///     could pass over such a row
    void decode(CopyRows rows, Batch batch) {
        requireKey(rows);
        byte[] bytes = rows.bytes();
        for (int field = 0; field < cellCount; field++) {
            int length = rows.length(field);
            if (length < 0) batch.putNull();
            else decoders.get(field).decode(bytes, rows.offset(field), length, batch);
        }
        batch.endRow();
    }

    /// The mark that stands at the row.
    HighWaterMark mark(CopyRows rows) {
        List<String> key = new ArrayList<>(keyFields.size());
        for (int field : keyFields) key.add(text(rows, field));
        return new HighWaterMark(cursorField.map(field -> text(rows, field)), key);
    }

    private void requireKey(CopyRows rows) {
        for (int i = 0; i < keyFields.size(); i++) {
            if (rows.length(keyFields.get(i)) >= 0) continue;
            throw Fault.KEY_MISSING.in(
                    "table " + pull.table().id(),
                    "a row's \"%s\" is NULL, and it should identify the row"
                            .formatted(pull.key().get(i)),
                    "The pages before are kept");
        }
    }

    private String text(CopyRows rows, int field) {
        return decoders.get(field).text(rows.bytes(), rows.offset(field), rows.length(field));
    }

    private void select(String name, Reading reading) {
        selected.add(reading.select(qualified(name)));
        decoders.add(reading.decoder());
    }

    /// Where a row has a text of `name`'s value that can be cast back: in a cell, else in a field of its own.
    private int markField(String name) {
        int cell = pull.columns().indexOf(name);
        if (cell >= 0 && reading(name).isReversible()) return cell;
        select(name, Reading.ofText());
        return selected.size() - 1;
    }

    private Reading reading(String name) {
        return PostgresTypes.reading(column(name).type(), pull.numeric(), pull.timestamps());
    }

    private String condition(PGConnection connection) throws SQLException {
        String cursor = qualified(pull.cursorColumn());
        // A composite value `IS NOT NULL` only when no part of it is, so such a value is compared with NULL instead.
        boolean isComposite = column(pull.cursorColumn()).type().kind() == 'c';
        if (pull.pass() == Pass.NULL_CURSOR) return cursor + (isComposite ? " IS NOT DISTINCT FROM NULL" : " IS NULL");
        if (pull.after().isEmpty()) {
            if (column(pull.cursorColumn()).isNotNull()) return "";
            return cursor + (isComposite ? " IS DISTINCT FROM NULL" : " IS NOT NULL");
        }
        HighWaterMark after = pull.after().get();
        List<String> names = new ArrayList<>();
        List<String> values = new ArrayList<>();
        names.add(cursor);
        values.add(literal(connection, pull.cursorColumn(), after.cursor().orElseThrow()));
        for (int i = 0; i < pull.key().size(); i++) {
            String name = pull.key().get(i);
            if (name.equals(pull.cursorColumn())) continue;
            names.add(qualified(name));
            values.add(literal(connection, name, after.key().get(i)));
        }
        return "(%s) > (%s)".formatted(String.join(", ", names), String.join(", ", values));
    }

    /// The cast names the type without its modifiers, which would cut the value.
    private String literal(PGConnection connection, String name, String value) throws SQLException {
        PostgresType type = column(name).type();
        return "'%s'::%s.%s"
                .formatted(connection.escapeLiteral(value), Quoted.name(type.schema()), Quoted.name(type.name()));
    }

    private Set<String> order() {
        Set<String> order = new LinkedHashSet<>();
        if (pull.pass() == Pass.WITH_CURSOR) order.add(pull.cursorColumn());
        order.addAll(pull.key());
        return order;
    }

    private static String qualified(String name) {
        return ROW + "." + Quoted.name(name);
    }

    private CatalogColumn column(String name) {
        SourceColumn described = pull.table()
                .column(name)
                .orElseThrow(() -> new IllegalStateException("the table has no column \"%s\"".formatted(name)));
        CatalogColumn now = catalog.get(name);
        boolean isSame = now != null
                && now.number() == described.identity()
                && now.formattedType().equals(described.sourceType())
                && (now.isNotNull() || !described.isNotNull());
        if (isSame && now != null) return now;
        throw Fault.SOURCE_SCHEMA_CHANGED.in(
                "table " + pull.table().id(),
                now == null
                        ? "its column \"%s\" is gone".formatted(name)
                        : "its column \"%s\" is no longer the same".formatted(name),
                "Nothing was read");
    }
}
