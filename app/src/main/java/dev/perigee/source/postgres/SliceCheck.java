package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Slice;
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

/// Checks the condition of a slice in a snapshot, without a right or a change that reading the table does not need.
///
/// The server parses the condition as the only value selected from the table, and shows the tree that it made of it
/// ([ExpressionProof]). So whatever the text says, the server's own reading of it is judged.
record SliceCheck(SnapshotTransaction transaction, SourceConfig config) {
    private static final String STATE = "Nothing was changed";

    /// Checks the condition `where` on the rows of `table`.
    ///
    /// @param columns the table's columns, as the catalog has them in this transaction
    Slice check(SourceTable table, List<CatalogColumn> columns, String where) throws SQLException {
        new ExpressionText(where).refusal().ifPresent(why -> {
            throw refused(table, why);
        });
        Set<String> schemas = new TreeSet<>();
        for (CatalogColumn column : columns) schemas.add(column.type().schema());
        schemas.remove("pg_catalog");
        new TableReads(transaction, config).settle(table, schemas);
        ExpressionProof proof;
        try {
            proof = ExpressionProof.of(transaction.session(), table.id(), where);
        } catch (SQLException e) {
            throw unread(table, e);
        }
        proof.refusal().ifPresent(why -> {
            throw refused(table, why);
        });
        if (!proof.isBoolean()) throw refused(table, "its value is not a boolean");
        List<Slice.Used> used = new ArrayList<>();
        for (int number : proof.columns()) used.add(used(table, number));
        return new Slice(where, used, List.copyOf(schemas));
    }

    private static Slice.Used used(SourceTable table, int number) {
        Optional<SourceColumn> column = table.columns().stream()
                .filter(candidate -> candidate.identity() == number)
                .findFirst();
        if (column.isPresent()) {
            return new Slice.Used(column.get().name(), number, column.get().sourceType());
        }
        String name = table.access().unreadable().get(number);
        if (name != null) throw table.unreadable("table " + table.id(), name);
        throw Fault.SOURCE_SCHEMA_CHANGED.in("table " + table.id(), "its columns were changed just now", STATE);
    }

    /// The fault for a condition that the server could not read. Trouble of another kind is thrown as it is.
    private static PerigeeException unread(SourceTable table, SQLException e) throws SQLException {
        String state = PostgresFaults.state(e);
        if (state.equals("42501") || !(state.startsWith("42") || state.startsWith("22") || state.startsWith("0A"))) {
            throw e;
        }
        String what = "the source cannot read the condition in `where`: " + PostgresFaults.said(e);
        if (state.equals("42703")) {
            return Fault.SOURCE_COLUMN_MISSING.in(
                    "table " + table.id(),
                    what,
                    STATE,
                    "name columns of the table in `where`, without the table's name",
                    e);
        }
        return Fault.INVALID_REQUEST.in(
                "table " + table.id(),
                what,
                STATE,
                "correct `where`: a condition of PostgreSQL on the table's own columns, such as status = 'open'",
                e);
    }

    private static PerigeeException refused(SourceTable table, String why) {
        return Fault.INVALID_REQUEST.in(
                "table " + table.id(),
                "`where` is refused: " + why,
                STATE,
                "write a condition that depends on nothing but columns of the same row; see \"Slices\" in docs/replication.md");
    }
}
