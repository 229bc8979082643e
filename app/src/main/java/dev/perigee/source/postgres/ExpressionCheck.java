package dev.perigee.source.postgres;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Expression;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.source.postgres.statement.ExpressionProof;
import dev.perigee.source.postgres.statement.ExpressionText;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Checks an expression of a table's settings in a snapshot, without a right or a change that reading the table does
/// not need.
///
/// The server parses the expression as the only value selected from the table, and shows the tree that it made of it
/// ([ExpressionProof]). So whatever the text says, the server's own reading of it is judged.
///
/// @param field the setting, which messages name
record ExpressionCheck(SnapshotTransaction transaction, TableReads reads, SourceTable table, String field) {
    /// The setting whose expression must be a condition.
    static final String WHERE = "where";

    private static final String STATE = "Nothing was changed";

    /// Checks the expression `text`.
    ///
    /// @param columns the table's columns, as the catalog has them in this transaction
    Expression check(List<CatalogColumn> columns, String text) throws SQLException {
        new ExpressionText(text).refusal().ifPresent(why -> {
            throw refused(why);
        });
        Set<String> schemas = new TreeSet<>();
        for (CatalogColumn column : columns) schemas.add(column.type().schema());
        schemas.remove("pg_catalog");
        reads.settle(table, schemas);
        ExpressionProof proof;
        try {
            proof = ExpressionProof.of(transaction.session(), table.id(), text);
        } catch (SQLException e) {
            throw unread(e);
        }
        proof.refusal().ifPresent(why -> {
            throw refused(why);
        });
        Expression.Type type = proof.type()
                .orElseThrow(() -> refused("its value is not of a plain type of the server; cast it, such as to text"));
        if (field.equals(WHERE) && !type.name().equals("bool")) throw refused("its value is not a boolean");
        List<Expression.Used> used = new ArrayList<>();
        for (int number : proof.columns()) used.add(used(number));
        return new Expression(text, used, List.copyOf(schemas), type);
    }

    private Expression.Used used(int number) {
        Optional<Expression.Used> column = table.columns().stream()
                .filter(candidate -> candidate.identity() == number)
                .map(SourceColumn::name)
                .findFirst()
                .flatMap(table::used);
        if (column.isPresent()) return column.get();
        String name = table.access().unreadable().get(number);
        if (name != null) throw table.unreadable("table " + table.id(), name);
        throw Fault.SOURCE_SCHEMA_CHANGED.in("table " + table.id(), "its columns were changed just now", STATE);
    }

    /// The fault for an expression that the server could not read. Trouble of another kind is thrown as it is.
    private PerigeeException unread(SQLException e) throws SQLException {
        String state = PostgresFaults.state(e);
        if (state.equals("42501") || !(state.startsWith("42") || state.startsWith("22") || state.startsWith("0A"))) {
            throw e;
        }
        String what = "the source cannot read the expression in `%s`: %s".formatted(field, PostgresFaults.said(e));
        if (state.equals("42703")) {
            return Fault.SOURCE_COLUMN_MISSING.in(
                    "table " + table.id(), what, STATE, "name columns of the table in it, without the table's name", e);
        }
        return Fault.INVALID_REQUEST.in(
                "table " + table.id(),
                what,
                STATE,
                "correct it: PostgreSQL's SQL on the table's own columns, such as status = 'open' or md5(email)",
                e);
    }

    private PerigeeException refused(String why) {
        return Fault.INVALID_REQUEST.in(
                "table " + table.id(),
                "`%s` is refused: %s".formatted(field, why),
                STATE,
                "write an expression that depends on nothing but columns of the same row; see \"Slices\" in docs/replication.md");
    }
}
