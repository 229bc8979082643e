package dev.perigee.source.postgres.statement;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.source.Expression;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Mask;
import dev.perigee.source.Pull;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresType;
import dev.perigee.source.postgres.catalog.PostgresTypes;
import dev.perigee.source.postgres.decode.ColumnReading;
import dev.perigee.source.postgres.decode.CopyRows;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.RefusedRows;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.PGConnection;

/// One pull as a statement: which rows it reads, in which order, and how each field of a row is read.
///
/// The source compares and orders rows, on `(cursor, key…)`, in its own types and collations. A mark travels as text
/// and is cast back to the column's type there, so nothing of it is lost.
public final class PullStatement {
    private static final String ROW = "r"; // qualifies columns: a bare name in ORDER BY may mean an output column

    private final Pull pull;
    private final Map<String, CatalogColumn> catalog;
    private final List<String> selected = new ArrayList<>();
    private final List<Decoder> decoders = new ArrayList<>();
    private final int cellCount;
    private final Optional<String> cursorColumn;
    private final Optional<Integer> cursorField;
    private final List<Integer> keyFields;
    private final ChangedRows changed;
    private final SliceSql slice;
    private final int isInField;
    private final boolean isUnchecked;

    /// @param columns the table's columns, as the catalog has them in this transaction
    /// @param changed finds rows that may have changed after a moment
    /// @param isUnchecked whether the database takes any bytes for text (`SQL_ASCII`)
    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_SCHEMA_CHANGED] where the columns of the pull are not
    ///     the same any more
    public PullStatement(Pull pull, List<CatalogColumn> columns, ChangedRows changed, boolean isUnchecked) {
        this.pull = pull;
        this.isUnchecked = isUnchecked;
        this.changed = changed;
        this.slice = SliceSql.of(pull);
        this.cursorColumn = switch (pull.scope()) {
            case Scope.After(var cursor, var _) -> Optional.of(cursor);
            case Scope.Late(var cursor, var _, var _, var _) -> Optional.of(cursor);
            case Scope.NullCursor _,
                    Scope.Changed _,
                    Scope.Rescoped _,
                    Scope.ByKey _,
                    Scope.Parts _,
                    Scope.InBuckets _,
                    Scope.Keys _,
                    Scope.KeyChunk _,
                    Scope.SharedKeys _,
                    Scope.NullKey _ -> Optional.empty();
        };
        this.catalog = columns.stream().collect(Collectors.toMap(CatalogColumn::name, Function.identity()));
        slice.expressions().forEach(one -> one.columns().forEach(used -> asDescribed(used, false)));
        for (String name : pull.columns()) {
            select(name, reading(name));
            int last = selected.size() - 1;
            boolean isMark = pull.key().contains(name) || cursorColumn.equals(Optional.of(name));
            if (!isMark) selected.set(last, slice.ifIn(selected.get(last)));
        }
        this.cellCount = selected.size();
        this.cursorField = cursorColumn.map(this::markField);
        this.keyFields = pull.key().stream().map(this::markField).toList();
        this.isInField = selected.size();
        if (slice.isTold()) selected.add(SliceSql.IS_IN);
    }

    /// The number of fields in a row of the answer.
    public int fieldCount() {
        return selected.size();
    }

    /// The schemas whose operators the comparisons need, without `pg_catalog`.
    public Set<String> schemas() {
        Set<String> schemas = new TreeSet<>();
        compared().forEach(name -> schemas.add(column(name).type().schema()));
        slice.expressions().forEach(one -> schemas.addAll(one.schemas()));
        pull.table()
                .access()
                .masks()
                .values()
                .forEach(mask -> schemas.addAll(mask.expression().schemas()));
        schemas.remove("pg_catalog");
        return schemas;
    }

    /// The COPY statement.
    ///
    /// @param connection escapes literals, because COPY takes no parameters
    /// @param part one more condition on the row `r`; empty for none
    public String sql(PGConnection connection, String part) throws SQLException {
        StringBuilder sql = new StringBuilder("COPY (SELECT ")
                .append(String.join(", ", selected))
                .append(" FROM ")
                .append(PostgresNames.table(pull.table().id()))
                .append(" AS ")
                .append(ROW)
                .append(slice.joined());
        List<String> conditions = new ArrayList<>(conditions(connection));
        slice.condition(pull.scope()).ifPresent(conditions::add);
        if (!part.isEmpty()) conditions.add(part);
        if (!conditions.isEmpty()) sql.append(" WHERE ").append(String.join(" AND ", conditions));
        if (pull.scope() instanceof Scope.SharedKeys(int maxKeys)) {
            sql.append(" GROUP BY %s HAVING count(*) > 1 LIMIT %d".formatted(qualified(pull.key()), maxKeys));
        }
        Set<String> order = order();
        if (!order.isEmpty()) {
            sql.append(" ORDER BY ")
                    .append(order.stream().map(PullStatement::qualified).collect(Collectors.joining(", ")));
        }
        if (pull.scope() instanceof Scope.KeyChunk chunk) sql.append(" LIMIT ").append(chunk.maxRows());
        return sql.append(") TO STDOUT (FORMAT BINARY)").toString();
    }

    /// A condition that is true where the table has a row of this pull.
    public String exists(PGConnection connection) throws SQLException {
        List<String> conditions = conditions(connection);
        return "EXISTS (SELECT FROM %s AS %s%s)"
                .formatted(
                        PostgresNames.table(pull.table().id()),
                        ROW,
                        conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions));
    }

    /// The condition of the table's slice with ` AND ` before it, for a statement that reads the table as `r`; empty
    /// for a table without one.
    public static String inSlice(SourceTable table) {
        return SliceSql.and(table);
    }

    /// Whether the row is outside the slice, and the copy must not have it.
    public boolean isLeaving(CopyRows rows) {
        return slice.isTold() && rows.bytes()[rows.offset(isInField)] == 0;
    }

    /// Puts the row's cells into `batch`. Of a row that is leaving, these are the key's, and the cursor's.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#KEY_MISSING] where a part of the key is NULL, because the
    ///     comparison could miss such a row
    public void decode(CopyRows rows, Batch batch) {
        requireKey(rows);
        byte[] bytes = rows.bytes();
        for (int field = 0; field < cellCount; field++) {
            int length = rows.length(field);
            if (length < 0) batch.putNull();
            else decoders.get(field).decode(bytes, rows.offset(field), length, batch);
        }
        if (isLeaving(rows)) batch.endLeavingRow();
        else batch.endRow();
    }

    /// The mark of the row.
    public HighWaterMark mark(CopyRows rows) {
        if (pull.scope() instanceof Scope.NullKey) return new HighWaterMark(Optional.empty(), List.of());
        List<String> key = new ArrayList<>(keyFields.size());
        for (int field : keyFields) key.add(text(rows, field));
        return new HighWaterMark(cursorField.map(field -> text(rows, field)), key);
    }

    /// Describes a row on which [#decode] failed.
    ///
    /// @throws RuntimeException `failure` itself, where it does not concern this row only
    public RefusedRow refused(CopyRows rows, RuntimeException failure) {
        return new RefusedRows(pull.table().id(), pull.columns(), pull.key(), decoders).of(rows, failure);
    }

    private void requireKey(CopyRows rows) {
        for (int i = 0; i < keyFields.size(); i++) {
            if (rows.length(keyFields.get(i)) >= 0) continue;
            throw Fault.KEY_MISSING.in(
                    "table " + pull.table().id(),
                    "a row has NULL in the column \"%s\" of its key"
                            .formatted(pull.key().get(i)),
                    "The row is set aside");
        }
    }

    private String text(CopyRows rows, int field) {
        return decoders.get(field).text(rows.bytes(), rows.offset(field), rows.length(field));
    }

    private void select(String name, ColumnReading reading) {
        selected.add(reading.select(value(name)));
        decoders.add(reading.decoder());
    }

    /// The column, or the expression that masks it. The cast makes sure of the type that the decoder expects.
    private String value(String name) {
        Mask mask = pull.table().access().masks().get(name);
        if (mask == null) return qualified(name);
        Expression expression = mask.expression();
        return "(%s\n)::pg_catalog.%s"
                .formatted(
                        expression.text(), PostgresNames.name(expression.type().name()));
    }

    /// The field in which a row has a text of `name`'s value that can be cast back: a cell, or else a field added for
    /// it.
    private int markField(String name) {
        int cell = pull.columns().indexOf(name);
        ColumnReading own = reading(name);
        if (cell >= 0 && own.isReversible()) return cell;
        select(name, own.ofMark(isUnchecked));
        return selected.size() - 1;
    }

    private ColumnReading reading(String name) {
        ColumnReading reading = PostgresTypes.reading(column(name).type(), pull.numeric(), pull.timestamps());
        return isUnchecked ? reading.unchecked() : reading;
    }

    private List<String> conditions(PGConnection connection) throws SQLException {
        List<String> conditions = new ArrayList<>();
        if (pull.scope() instanceof Scope.NullKey) {
            return List.of(nullableKey().map(name -> isNull(name, true)).collect(Collectors.joining(" OR ", "(", ")")));
        }
        nullableKey().map(name -> isNull(name, false)).forEach(conditions::add);
        switch (pull.scope()) {
            case Scope.NullKey _ -> {}
            case Scope.KeyChunk(var from, var isIncluded, var upTo, var _) -> {
                if (from.isPresent()) conditions.add(keyCompared(connection, from.get(), isIncluded ? ">=" : ">"));
                if (upTo.isPresent()) conditions.add(keyCompared(connection, upTo.get(), "<="));
            }
            case Scope.After(var cursor, var mark) -> {
                if (mark.isPresent()) conditions.add(compared(connection, mark.get(), ">"));
                else if (!column(cursor).isNotNull()) conditions.add(isNull(cursor, false));
            }
            case Scope.NullCursor(var cursor, var since) -> {
                conditions.add(isNull(cursor, true));
                since.flatMap(this::changedSince).ifPresent(conditions::add);
            }
            case Scope.Late(var _, var sealed, var seen, var since) -> {
                conditions.add(compared(connection, seen, "<="));
                if (sealed.isPresent()) {
                    conditions.add(compared(
                            connection, sealed.get(), sealed.get().key().isEmpty() ? ">=" : ">"));
                }
                since.flatMap(this::changedSince).ifPresent(conditions::add);
            }
            case Scope.Changed(var since) -> since.flatMap(this::changedSince).ifPresent(conditions::add);
            case Scope.ByKey(var after, var upTo) -> {
                if (after.isPresent()) conditions.add(keyCompared(connection, after.get(), ">"));
                if (upTo.isPresent()) conditions.add(keyCompared(connection, upTo.get(), "<="));
            }
            case Scope.InBuckets(var buckets, var wanted) -> {
                List<CatalogColumn> key = pull.key().stream().map(this::column).toList();
                conditions.add(KeyHashSql.of(key, pull)
                        .orElseThrow(
                                () -> new IllegalStateException("buckets were asked for, but the key has no digests"))
                        .isIn(buckets, wanted, ROW));
            }
            case Scope.Parts _, Scope.SharedKeys _, Scope.Rescoped _ -> {} // a part each; all rows; see SliceSql
            case Scope.Keys(var keys) -> {
                List<String> rows = new ArrayList<>();
                for (List<String> key : keys) rows.add("(" + literals(connection, pull.key(), key) + ")");
                conditions.add("(%s) IN (%s)".formatted(qualified(pull.key()), String.join(", ", rows)));
            }
        }
        return conditions;
    }

    /// The columns of the key in which the source takes NULL. A row with a NULL there cannot be compared.
    private Stream<String> nullableKey() {
        return pull.key().stream().filter(name -> !column(name).isNotNull());
    }

    private Optional<String> changedSince(String mark) {
        return changed.since(pull.table(), mark);
    }

    /// A composite value `IS NOT NULL` only when no part of it is NULL. So composites are tested with
    /// `IS DISTINCT FROM NULL`.
    private String isNull(String name, boolean isWanted) {
        boolean isComposite = column(name).type().kind() == 'c';
        String test = isComposite
                ? (isWanted ? " IS NOT DISTINCT FROM NULL" : " IS DISTINCT FROM NULL")
                : (isWanted ? " IS NULL" : " IS NOT NULL");
        return qualified(name) + test;
    }

    /// Compares the row's `(cursor, key…)` with a mark's. Each column appears once, because the cursor may be a part of
    /// the key.
    private String compared(PGConnection connection, HighWaterMark mark, String operator) throws SQLException {
        String cursor = cursorColumn.orElseThrow();
        List<String> names = new ArrayList<>(List.of(cursor));
        List<String> values = new ArrayList<>(List.of(mark.cursor().orElseThrow()));
        for (int i = 0; i < mark.key().size(); i++) {
            if (pull.key().get(i).equals(cursor)) continue;
            names.add(pull.key().get(i));
            values.add(mark.key().get(i));
        }
        return "(%s) %s (%s)".formatted(qualified(names), operator, literals(connection, names, values));
    }

    private String keyCompared(PGConnection connection, List<String> key, String operator) throws SQLException {
        return "(%s) %s (%s)".formatted(qualified(pull.key()), operator, literals(connection, pull.key(), key));
    }

    private String literals(PGConnection connection, List<String> names, List<String> values) throws SQLException {
        List<String> literals = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) literals.add(literal(connection, names.get(i), values.get(i)));
        return String.join(", ", literals);
    }

    /// The cast names the type without its modifiers, which would cut the value.
    private String literal(PGConnection connection, String name, String value) throws SQLException {
        PostgresType type = column(name).type();
        return "'%s'::%s.%s"
                .formatted(
                        connection.escapeLiteral(value),
                        PostgresNames.name(type.schema()),
                        PostgresNames.name(type.name()));
    }

    /// The mark at which the first page ends if the key of its last row cannot be read. It is the mark before all rows
    /// of the pull; for late rows it is `seen`.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#VALUE_UNSTORABLE] where there is no such mark
    public HighWaterMark before(RuntimeException unreadable) {
        HighWaterMark nowhere = new HighWaterMark(Optional.empty(), List.of());
        Optional<HighWaterMark> before = switch (pull.scope()) {
            case Scope.After(var _, var mark) -> mark;
            case Scope.KeyChunk(var from, var _, var _, var _) ->
                from.map(key -> new HighWaterMark(Optional.empty(), key));
            case Scope.Late(var _, var _, var seen, var _) -> Optional.of(seen);
            case Scope.NullCursor _,
                    Scope.Changed _,
                    Scope.Rescoped _,
                    Scope.ByKey _,
                    Scope.Parts _,
                    Scope.InBuckets _,
                    Scope.Keys _,
                    Scope.SharedKeys _,
                    Scope.NullKey _ -> Optional.of(nowhere);
        };
        return before.orElseThrow(() -> Fault.VALUE_UNSTORABLE.in(
                "table " + pull.table().id(),
                "the key of the last row that was sent cannot be read (%s), and no mark is known before it"
                        .formatted(unreadable.getClass().getSimpleName()),
                "Nothing was read",
                unreadable));
    }

    /// The columns by which rows are sorted.
    private Set<String> order() {
        return switch (pull.scope()) {
            case Scope.Changed _,
                    Scope.Rescoped _,
                    Scope.Parts _,
                    Scope.InBuckets _,
                    Scope.Keys _,
                    Scope.SharedKeys _,
                    Scope.NullKey _ -> Set.of();
            case Scope.After _, Scope.Late _, Scope.NullCursor _, Scope.ByKey _, Scope.KeyChunk _ -> compared();
        };
    }

    /// The columns by which rows are compared or sorted, the cursor first.
    private Set<String> compared() {
        Set<String> compared = new LinkedHashSet<>();
        cursorColumn.ifPresent(compared::add);
        compared.addAll(pull.key());
        return compared;
    }

    private static String qualified(Collection<String> names) {
        return names.stream().map(PullStatement::qualified).collect(Collectors.joining(", "));
    }

    private static String qualified(String name) {
        return ROW + "." + PostgresNames.name(name);
    }

    private CatalogColumn column(String name) {
        Mask mask = pull.table().access().masks().get(name);
        if (mask == null) {
            SourceColumn described = pull.table()
                    .column(name)
                    .orElseThrow(() -> new IllegalStateException("the table has no column \"%s\"".formatted(name)));
            Expression.Used used = new Expression.Used(name, described.identity(), described.sourceType());
            return asDescribed(used, described.isNotNull());
        }
        asDescribed(mask.column(), false);
        mask.expression().columns().forEach(used -> asDescribed(used, false));
        return CatalogColumn.of(mask);
    }

    private CatalogColumn asDescribed(Expression.Used described, boolean isNotNull) {
        CatalogColumn now = catalog.get(described.name());
        boolean isSame = now != null
                && now.number() == described.identity()
                && now.formattedType().equals(described.type())
                && (now.isNotNull() || !isNotNull);
        if (isSame && now != null) return now;
        throw Fault.SOURCE_SCHEMA_CHANGED.in(
                "table " + pull.table().id(),
                now == null
                        ? "its column \"%s\" no longer exists".formatted(described.name())
                        : "its column \"%s\" has changed".formatted(described.name()),
                "Nothing was read");
    }
}
