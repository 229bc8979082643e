package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.decode.CopyRows;
import dev.perigee.source.postgres.session.PostgresNames;
import dev.perigee.source.postgres.statement.PullStatement;
import dev.perigee.source.postgres.statement.TidSlices;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.postgresql.copy.CopyOut;

/// Reads the rows of tables in a snapshot.
///
/// A pull is one `COPY (SELECT …) TO STDOUT (FORMAT BINARY)`, cut into pages on this side. So the source sorts once,
/// and not once per page. Pulls in no order may take several such statements, one for each slice or part of the table.
final class TableReads {
    static final String BUILT_IN = "pg_catalog";

    private final SnapshotTransaction transaction;
    private final SourceConfig config;
    private List<String> path = List.of();

    TableReads(SnapshotTransaction transaction, SourceConfig config) {
        this.transaction = transaction;
        this.config = config;
    }

    /// Sends the rows of `pull` to `sink`, page by page.
    ///
    /// @param isDivisible whether the table can be read in slices and parts
    /// @return the number of rows read, including refused ones
    long pull(Pull pull, PullStatement statement, boolean isDivisible, PageSink sink) throws SQLException {
        settle(pull.table(), statement.schemas());
        Pages pages = new Pages(statement, sink);
        for (String slice : slices(pull, isDivisible)) copy(statement, slice, pages);
        return pages.end();
    }

    /// The conditions that divide the pull into several statements; one empty condition for a single statement.
    private List<String> slices(Pull pull, boolean isDivisible) throws SQLException {
        if (!isDivisible) return List.of("");
        return switch (pull.scope()) {
            case Scope.Changed _, Scope.Rescoped _, Scope.InBuckets _ ->
                TidSlices.of(transaction.session(), pull.table(), transaction.serverVersion());
            case Scope.Parts(var parts) ->
                parts.stream().map("r.tableoid = %d"::formatted).toList();
            case Scope.After _,
                    Scope.NullCursor _,
                    Scope.Late _,
                    Scope.ByKey _,
                    Scope.KeyChunk _,
                    Scope.NullKey _,
                    Scope.SharedKeys _,
                    Scope.Keys _ -> List.of("");
        };
    }

    private void copy(PullStatement statement, String slice, Pages pages) throws SQLException {
        CopyOut copy = transaction.session().getCopyAPI().copyOut(statement.sql(transaction.session(), slice));
        try {
            CopyRows rows = new CopyRows(copy, statement.fieldCount());
            while (rows.next()) pages.row(rows);
            pages.endOfStatement(rows);
        } catch (RuntimeException | Error e) {
            // The answer is only half read. Tell the source to stop; the connection is not used again.
            if (copy.isActive()) transaction.session().cancelQuery();
            throw e;
        }
    }

    /// Sets what the text forms depend on, and the time limit. A load may take hours, but the source must never be
    /// silent for longer than a statement may take. So the limit is the network's, which counts from byte to byte.
    ///
    /// @param schemas those whose types are read
    void settle(SourceTable table, Set<String> schemas) throws SQLException {
        List<String> wanted = path(table, schemas);
        if (wanted.equals(path)) return;
        transaction.execute(settings(wanted));
        isSettled(wanted);
    }

    /// The statements that [#settle] sends.
    static String settings(List<String> path) {
        String quoted = path.stream().map(PostgresNames::name).collect(Collectors.joining(", "));
        return "SET LOCAL search_path = %s; SET LOCAL statement_timeout = 0".formatted(quoted);
    }

    /// Records that the transaction has the [#settings] for this path.
    void isSettled(List<String> path) throws SQLException {
        this.path = path;
        transaction
                .session()
                .setNetworkTimeout(
                        Runnable::run,
                        Math.toIntExact(config.limits().statementTimeout().toMillis()));
    }

    /// Records that the transaction has another search path.
    void isReset() {
        path = List.of();
    }

    /// The schemas in which operators and types are looked up. What a view's functions call is looked up there too.
    private List<String> path(SourceTable table, Set<String> schemas) {
        List<String> path = new ArrayList<>(List.of(BUILT_IN));
        path.addAll(schemas);
        if (table.kind() == SourceTable.Kind.VIEW) path.addAll(List.of(config.defaultSchema(), "public"));
        return path;
    }
}
