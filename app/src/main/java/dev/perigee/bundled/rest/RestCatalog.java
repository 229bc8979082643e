package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestTable.Column;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/// Looks tables up, in the replica's schema or in the external database's catalog.
///
/// The replica's schema is read for each request. A description from the external database is kept for 5 s, so that not
/// every request reads its catalog. If the table changes meanwhile, the external database itself refuses statements
/// that no longer fit.
final class RestCatalog {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final long KEPT_NANOS = Duration.ofSeconds(5).toNanos();

    /// Maximum number of names kept at a time, of external tables and of tables that do not exist.
    private static final int MAX_KEPT = 500;

    private static final String MAIN = "main";
    private static final List<String> ROWID_NAMES = List.of("rowid", "_rowid_", "oid");

    /// Reading the schema's own table makes the connection notice schema changes of other connections. The pragmas
    /// below do not.
    private static final String LOOK_AT_SCHEMA = "SELECT 1 FROM sqlite_schema LIMIT 1";

    private static final String TABLE = """
            SELECT name, type, wr FROM pragma_table_list
            WHERE schema = 'main' AND name = ?1 COLLATE NOCASE AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'""";

    private static final String COLUMNS = """
            SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main') ORDER BY cid""";

    /// Bare words that are keywords in a DEFAULT. SQLite takes any other bare word as text.
    private static final Set<String> DEFAULT_WORDS =
            Set.of("NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP");

    private static final Pattern BARE_WORD = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_$]*");
    /// Schemas of PostgreSQL itself, such as roles and statistics, are not resources here; `/query` can read them.
    private static final Pattern SYSTEM_SCHEMA = Pattern.compile("pg_|information_schema$");

    private record Kept(Optional<RestTable> table, long sinceNanos) {}

    private final Store store;
    private final Optional<Source> source;
    private final Map<String, Kept> kept = new ConcurrentHashMap<>();

    RestCatalog(Store store, Optional<Source> source) {
        this.store = store;
        this.source = source;
    }

    Optional<RestTable> find(Where where, Optional<String> schema, String table) {
        return switch (where) {
            case INTERNAL ->
                schema.filter(name -> !name.equalsIgnoreCase(MAIN)).isPresent()
                        ? Optional.empty()
                        : store.readForCaller(LIMIT, transaction -> internal(transaction, table));
            case EXTERNAL -> external(schema, table);
        };
    }

    private static Optional<RestTable> internal(Transaction transaction, String table) {
        transaction.statement(LOOK_AT_SCHEMA).step();
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
            String defaultText = info.textAt(2);
            if (info.intAt(3) > 0) key.put(info.intAt(3), column);
            long hidden = info.intAt(4);
            if (hidden == 1) continue; // A virtual table's argument, not a column.
            columns.add(new Column(
                    column,
                    type == null ? "" : type,
                    defaultText == null ? "NULL" : defaultSql(defaultText),
                    hidden != 0,
                    Optional.empty()));
        }
        List<String> keyColumns = new ArrayList<>(key.values());
        if (keyColumns.isEmpty() && hasRowid) {
            ROWID_NAMES.stream()
                    .filter(free -> columns.stream().noneMatch(c -> c.name().equalsIgnoreCase(free)))
                    .findFirst()
                    .ifPresent(keyColumns::add);
        }
        return Optional.of(new RestTable(Where.INTERNAL, SqlNames.quoted(name), name, columns, keyColumns));
    }

    /// A DEFAULT as an expression for an UPDATE. In a DEFAULT, SQLite takes a name as text; elsewhere it would be a
    /// column.
    private static String defaultSql(String text) {
        char first = text.charAt(0);
        boolean isQuotedName = first == '"' || first == '`' || first == '[';
        if (isQuotedName) {
            char end = first == '[' ? ']' : first;
            String name = text.substring(1, text.length() - 1).replace("" + end + end, "" + end);
            return literal(name);
        }
        if (BARE_WORD.matcher(text).matches() && !DEFAULT_WORDS.contains(text.toUpperCase(Locale.ROOT))) {
            return literal(text);
        }
        return "(" + text + "\n)"; // It may end with a comment.
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private Optional<RestTable> external(Optional<String> schema, String table) {
        Source external = source.orElseThrow(() -> Fault.SOURCE_NOT_CONFIGURED.in(
                "external REST request", "there is no external database", "Nothing was run"));
        String wanted = schema.map(name -> SqlNames.quoted(name) + ".").orElse("") + SqlNames.quoted(table);
        Kept known = kept.get(wanted);
        if (known != null && System.nanoTime() - known.sinceNanos() < KEPT_NANOS) return known.table();
        Optional<RestTable> found = describe(external, wanted);
        if (kept.size() >= MAX_KEPT) kept.clear();
        kept.put(wanted, new Kept(found, System.nanoTime()));
        return found;
    }

    private static Optional<RestTable> describe(Source external, String wanted) {
        SourceTable found;
        try {
            found = external.describe(wanted);
        } catch (PerigeeException e) {
            if (e.fault() == Fault.SOURCE_TABLE_MISSING) return Optional.empty();
            throw e;
        }
        if (SYSTEM_SCHEMA.matcher(found.id().schema()).lookingAt()) return Optional.empty();
        List<Column> columns =
                found.columns().stream().map(RestCatalog::external).toList();
        return Optional.of(new RestTable(
                Where.EXTERNAL,
                SqlNames.quoted(found.id().schema()) + "."
                        + SqlNames.quoted(found.id().name()),
                found.id().toString(),
                columns,
                found.key().columns()));
    }

    private static Column external(SourceColumn column) {
        return new Column(column.name(), column.sourceType(), "DEFAULT", false, Optional.of(column.values()));
    }
}
