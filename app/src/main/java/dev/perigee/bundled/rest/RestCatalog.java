package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.StatementCall.Where;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// Looks tables up, in the replica's schema or in the external database's catalog. Asked for each request: what it says
/// is never older than that.
final class RestCatalog {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final String MAIN = "main";
    private static final String ROWID = "rowid";

    private static final String TABLE = """
            SELECT name, type, wr FROM pragma_table_list
            WHERE schema = 'main' AND name = ?1 COLLATE NOCASE AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'""";

    private static final String COLUMNS = """
            SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid""";

    private final Store store;
    private final Optional<Source> source;

    RestCatalog(Store store, Optional<Source> source) {
        this.store = store;
        this.source = source;
    }

    Optional<RestTable> find(Where where, Optional<String> schema, String table) {
        return switch (where) {
            case INTERNAL ->
                schema.filter(name -> !name.equalsIgnoreCase(MAIN)).isPresent()
                        ? Optional.empty()
                        : store.read(LIMIT, transaction -> internal(transaction, table));
            case EXTERNAL -> external(schema, table);
        };
    }

    private static Optional<RestTable> internal(Store.Transaction transaction, String table) {
        SqliteStatement found = transaction.statement(TABLE).bindText(1, table);
        if (!found.step()) return Optional.empty();
        String name = String.valueOf(found.textAt(0));
        boolean hasRowid = "table".equals(found.textAt(1)) && found.intAt(2) == 0;
        List<Column> columns = new ArrayList<>();
        TreeMap<Long, String> key = new TreeMap<>();
        SqliteStatement info = transaction.statement(COLUMNS).bindText(1, name);
        while (info.step()) {
            String column = String.valueOf(info.textAt(0));
            String type = info.textAt(1);
            String defaultSql = info.textAt(2);
            if (info.intAt(3) > 0) key.put(info.intAt(3), column);
            long hidden = info.intAt(4);
            if (hidden == 1) continue; // A virtual table's argument, not a column.
            columns.add(new Column(
                    column,
                    type == null ? "" : type,
                    defaultSql == null ? "NULL" : "(" + defaultSql + ")",
                    hidden != 0));
        }
        List<String> keyColumns = new ArrayList<>(key.values());
        if (keyColumns.isEmpty()
                && hasRowid
                && columns.stream().noneMatch(c -> c.name().equalsIgnoreCase(ROWID))) {
            keyColumns.add(ROWID);
        }
        return Optional.of(new RestTable(Where.INTERNAL, RestTable.quoted(name), name, columns, keyColumns));
    }

    private Optional<RestTable> external(Optional<String> schema, String table) {
        Source external = source.orElseThrow(() -> Fault.SOURCE_NOT_CONFIGURED.in(
                "external REST request", "there is no external database", "Nothing was run"));
        String wanted = schema.map(name -> RestTable.quoted(name) + ".").orElse("") + RestTable.quoted(table);
        SourceTable found;
        try {
            found = external.describe(wanted);
        } catch (PerigeeException e) {
            if (e.fault() == Fault.SOURCE_TABLE_MISSING) return Optional.empty();
            throw e;
        }
        List<Column> columns =
                found.columns().stream().map(RestCatalog::external).toList();
        return Optional.of(new RestTable(
                Where.EXTERNAL,
                RestTable.quoted(found.id().schema()) + "."
                        + RestTable.quoted(found.id().name()),
                found.id().toString(),
                columns,
                found.key()));
    }

    /// Without modifiers: a cast to `varchar(3)` would cut a value in silence, where the column refuses it.
    private static Column external(SourceColumn column) {
        String type = column.sourceType().replaceAll("\\([^)]*\\)", "");
        return new Column(column.name(), type.startsWith("char") ? "text" : type, "DEFAULT", false);
    }
}
