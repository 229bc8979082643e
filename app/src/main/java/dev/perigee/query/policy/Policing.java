package dev.perigee.query.policy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.policy.Policy.Action;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.sqlite.AuthorizerAction;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Row-level security on one connection: temporary views in the place of tables, and an authorizer that allows access
/// through these views only.
///
/// SQLite resolves a name without a schema to the temporary view before the table. This is so however the name is
/// written and wherever it stands: in a subquery, a common table expression, a join, a view. The view selects from a
/// second view, whose name is secret. Only that second view may read the table: SQLite tells the authorizer for each
/// column which view reads it. So `main.orders` is refused, and so is every table without a policy.
///
/// The second view ends with `LIMIT -1 OFFSET 0`, which is an optimization barrier. SQLite neither flattens such a view
/// into the statement around it, nor pushes conditions down into it. So an expression of the caller is never evaluated
/// on a row that the policy hides. Otherwise an error in the expression would reveal what the row contains.
///
/// For the thread that owns the connection.
///
/// @see <a href="https://www.sqlite.org/optoverview.html">SQLite: Query Flattening, restrictions 14 and 19</a>
public final class Policing {
    private static final String BARRIER = " LIMIT -1 OFFSET 0";

    /// SQLite's name for the internal trigger that implements RETURNING. A caller must not use this name.
    private static final String RETURNING = "sqlite_returning";

    /// SQLite's table-valued functions that show no stored rows.
    private static final Set<String> MADE_UP = Set.of(
            "json_each",
            "json_tree",
            "pragma_index_info",
            "pragma_index_list",
            "pragma_index_xinfo",
            "pragma_table_info",
            "pragma_table_xinfo",
            "pragma_foreign_key_list");

    private static final Set<String> PRAGMAS =
            Set.of("foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_xinfo");

    /// Functions that count the writes of the connection, which all callers share.
    private static final Set<String> OF_ALL_CALLERS = Set.of("changes", "total_changes");

    private static final String IS_VIEW = "because it is a view";
    private static final Set<String> SCHEMA_TABLES = Set.of("sqlite_master", "sqlite_schema");

    private final SqliteConnection connection;
    private final String secret;
    private final Map<String, String> shadows = new LinkedHashMap<>();
    private final Set<String> secrets = new HashSet<>();

    /// Secret names of the replica's views: each with its own text, and each as its policies leave it. These views have
    /// no more rights than the caller.
    private final Set<String> viewRows = new HashSet<>();

    private final Set<String> mainTables = new HashSet<>();

    /// Every name in the schemas, and every module's name. Any other name can only be a common table expression's.
    private final Set<String> names = new HashSet<>();

    private final Set<String> triggers = new HashSet<>();
    private Policies policies = new Policies(List.of());

    // State of the statement that is being prepared.
    private String text = "";
    private boolean readsTables;
    private @Nullable String insertTarget;
    private @Nullable String insertInto;
    private boolean writes;

    public Policing(SqliteConnection connection) {
        this.connection = connection;
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        this.secret = "policed_" + HexFormat.of().formatHex(random);
    }

    /// Puts the views in place for the tables and views that `wanted` accepts. After an earlier call, [#remove] has to
    /// be called first.
    public void install(Policies current, Predicate<String> wanted) {
        policies = current;
        readSchema();
        for (String table : current.tables()) {
            if (!current.has(table, Action.SELECT) || !wanted.test(table)) continue;
            PolicedTable.find(connection, table).ifPresent(this::shadow);
        }
        for (String view : views()) {
            if (wanted.test(SqlNames.folded(view))) shadowView(view);
        }
    }

    /// Drops all views that were put in place.
    public void remove() {
        List<String> names = new ArrayList<>(shadows.values());
        shadows.clear();
        for (String name : names.reversed()) drop(name);
        for (String name : List.copyOf(secrets)) drop(name);
        secrets.clear();
        for (String name : viewRows) drop(name);
        viewRows.clear();
    }

    /// Drops the view of one table, so that the name means the table again.
    void uncover(String table) {
        String name = shadows.remove(SqlNames.folded(table));
        if (name != null) drop(name);
    }

    public Policies policies() {
        return policies;
    }

    /// A name that no caller can guess: it has 128 random bits.
    String secretName(String purpose) {
        return secret + "_" + purpose;
    }

    /// Trusts a secret name: a view or trigger of this name may read tables, and a temporary table of this name may be
    /// read.
    void trust(String secretName) {
        secrets.add(secretName);
    }

    void distrust(String secretName) {
        secrets.remove(secretName);
    }

    /// To be called before a statement is prepared.
    ///
    /// @param target the table that an INSERT writes to directly; null for any other statement
    /// @throws PerigeeException [Fault#FORBIDDEN] if the text alone is a reason to refuse the statement
    public void begin(String sql, @Nullable String target) {
        text = SqlNames.folded(sql);
        insertTarget = target == null ? null : SqlNames.folded(target);
        insertInto = null;
        writes = false;
        if (text.contains(secret) || text.contains(RETURNING)) {
            throw Fault.FORBIDDEN.saying("A name in the statement is not available.");
        }
        List<SqlWords.Word> words = SqlWords.of(sql);
        readsTables = words.stream().anyMatch(word -> word.is("SELECT") || word.is("IN"));
        if (words.stream().filter(word -> !word.is(";")).findFirst().stream().anyMatch(word -> word.is("EXPLAIN"))) {
            throw Fault.FORBIDDEN.saying("EXPLAIN is for admins only: a plan would show the policies.");
        }
    }

    /// Whether the statement that could not be prepared writes. SQLite refuses to write to a view that has no trigger
    /// for it.
    public boolean wantsToWrite(SqliteException failure) {
        return writes || String.valueOf(failure.getMessage()).contains(IS_VIEW);
    }

    /// The policed table that the statement prepared last inserts into; empty if that is the target given to [#begin].
    public Optional<String> insertInto() {
        return Optional.ofNullable(insertInto);
    }

    /// Why an access is refused; empty if it is allowed. The arguments are those of the authorizer's callback.
    public Optional<PerigeeException> refusal(
            int action, @Nullable String arg1, @Nullable String arg2, @Nullable String database, @Nullable String by) {
        String name = arg1 == null ? "" : arg1;
        boolean isTemp = "temp".equalsIgnoreCase(database);
        return switch (action) {
            case AuthorizerAction.SELECT, AuthorizerAction.RECURSIVE -> Optional.empty();
            case AuthorizerAction.FUNCTION -> function(arg2 == null ? "" : arg2, by);
            case AuthorizerAction.READ -> isTemp ? readTemporary(name) : read(name, arg2, database, by);
            case AuthorizerAction.INSERT -> insert(name, isTemp, by);
            case AuthorizerAction.UPDATE -> change(name, isTemp, by, Action.UPDATE);
            case AuthorizerAction.DELETE -> change(name, isTemp, by, Action.DELETE);
            case AuthorizerAction.PRAGMA ->
                PRAGMAS.contains(SqlNames.folded(name))
                        ? Optional.empty()
                        : forbidden("PRAGMA " + name + " is for admins only.");
            default -> forbidden("Only admins can change the schema while row-level security is on.");
        };
    }

    private Optional<PerigeeException> function(String name, @Nullable String by) {
        if (!OF_ALL_CALLERS.contains(SqlNames.folded(name)) || by != null && isTrigger(by)) return Optional.empty();
        return forbidden("The function %s also counts what others write: use rows_written in \"meta\" of /query/raw."
                .formatted(name));
    }

    private Optional<PerigeeException> readTemporary(String name) {
        if (shadows.containsKey(SqlNames.folded(name)) || secrets.contains(name) || viewRows.contains(name)) {
            return Optional.empty();
        }
        return forbidden("The table \"%s\" is not available.".formatted(name));
    }

    private Optional<PerigeeException> read(
            String name, @Nullable String column, @Nullable String database, @Nullable String by) {
        String table = SqlNames.folded(name);
        boolean isUnclear = database == null && column != null && column.isEmpty();
        if (isUnclear && isOfStatement(table)) return Optional.empty();
        // If no column is needed, as in `count(*)`, SQLite does not tell which database has the table.
        if (secrets.contains(name) || viewRows.contains(name)) return Optional.empty();
        if (by != null && (secrets.contains(by) || isTrigger(by))) return Optional.empty();
        if (SCHEMA_TABLES.contains(table)) return Optional.empty();
        if (MADE_UP.contains(table) && !mainTables.contains(table)) return Optional.empty();
        if (table.equals(insertTarget) && (by == null || by.startsWith(RETURNING))) {
            if (!readsTables) return Optional.empty();
            return forbidden(
                    "An INSERT into \"%s\" with a SELECT or an IN cannot read it or return its rows: send two statements."
                            .formatted(name));
        }
        String remedy = isUnclear ? " If it is a common table expression, rename it." : "";
        if (policies.has(name, Action.SELECT)) {
            return forbidden("Policies apply to the table \"%s\": name it without schema.%s".formatted(name, remedy));
        }
        return forbidden("No policy lets clients read the table \"%s\".%s".formatted(name, remedy));
    }

    /// Whether a name that is read like a table can only be a common table expression's.
    ///
    /// SQLite asks about such a name as about a table if no column of it is needed, as in `count(*)`.
    private boolean isOfStatement(String folded) {
        return !names.contains(folded)
                && !folded.contains(secret)
                && !folded.startsWith("sqlite_")
                && !folded.startsWith("pragma_");
    }

    private Optional<PerigeeException> insert(String name, boolean isTemp, @Nullable String by) {
        if (isTemp && secrets.contains(name) && by != null && secrets.contains(by)) return Optional.empty();
        if (by != null && isTrigger(by)) return Optional.empty();
        if (!policies.has(name, Action.INSERT)) return noPolicy("insert into", name);
        writes = true;
        if (isTemp) {
            insertInto = name;
            return Optional.empty();
        }
        if (SqlNames.folded(name).equals(insertTarget)) return Optional.empty();
        insertInto = name; // No view stands in for it, because it has no policy for SELECT.
        return Optional.empty();
    }

    private Optional<PerigeeException> change(String name, boolean isTemp, @Nullable String by, Action action) {
        String table = SqlNames.folded(name);
        if (SCHEMA_TABLES.contains(table)) return Optional.empty(); // SQLite asks this about built-in tables.
        if (by != null && isTrigger(by)) return Optional.empty();
        String verb = action == Action.UPDATE ? "update" : "delete from";
        if (!policies.has(name, action)) return noPolicy(verb, name);
        writes = true;
        if (isTemp && shadows.containsKey(table)) return Optional.empty();
        if (!isTemp && table.equals(insertTarget)) return Optional.empty(); // DO UPDATE: triggers check it.
        return forbidden(
                "The table \"%s\" cannot be written this way: it also needs a policy for SELECT, and a name without schema."
                        .formatted(name));
    }

    /// Whether this is a trigger that an admin made, which runs with the admin's rights. A name that the caller's text
    /// contains does not count: the caller may have given it to something else, such as a common table expression.
    private boolean isTrigger(String name) {
        // In SQL text a quote inside a name is doubled, so the search below would miss such a name. So triggers with a
        // quote in their name get no rights.
        boolean hasQuote = name.chars().anyMatch(c -> c == '"' || c == '\'' || c == '`');
        return !hasQuote && triggers.contains(SqlNames.folded(name)) && !text.contains(SqlNames.folded(name));
    }

    private void readSchema() {
        mainTables.clear();
        triggers.clear();
        try (SqliteStatement select =
                connection.prepare("SELECT type, name FROM main.sqlite_schema WHERE type IN ('table', 'trigger')")) {
            while (select.step()) {
                String name = SqlNames.folded(String.valueOf(select.textAt(1)));
                ("trigger".equals(select.textAt(0)) ? triggers : mainTables).add(name);
            }
        }
        if (!triggers.isEmpty()) triggers.removeAll(namesInViews());
        names.clear();
        try (SqliteStatement select = connection.prepare("SELECT name FROM main.sqlite_schema"
                + " UNION ALL SELECT name FROM temp.sqlite_schema UNION ALL SELECT name FROM pragma_module_list")) {
            while (select.step()) names.add(SqlNames.folded(String.valueOf(select.textAt(0))));
        }
    }

    /// All names in the texts of views, including those of their common table expressions. SQLite reports these to the
    /// authorizer in the same way as triggers. So a trigger of the same name gets no rights.
    private Set<String> namesInViews() {
        Set<String> names = new HashSet<>();
        try (SqliteStatement select = connection.prepare("SELECT sql FROM main.sqlite_schema WHERE type = 'view'")) {
            while (select.step()) {
                for (SqlWords.Word word : SqlWords.of(String.valueOf(select.textAt(0))))
                    names.add(SqlNames.folded(SqlNames.unquoted(word.text())));
            }
        }
        return names;
    }

    private void shadow(PolicedTable table) {
        String inner = secretName("rows_" + secrets.size());
        String condition = policies.condition(table.name(), Action.SELECT, "", table.columns());
        connection.exec("CREATE TEMP VIEW %s AS SELECT * FROM main.%s WHERE %s%s"
                .formatted(SqlNames.quoted(inner), SqlNames.quoted(table.name()), condition, BARRIER));
        secrets.add(inner);
        connection.exec("CREATE TEMP VIEW %s AS SELECT * FROM temp.%s"
                .formatted(SqlNames.quoted(table.name()), SqlNames.quoted(inner)));
        shadows.put(SqlNames.folded(table.name()), table.name());
    }

    private List<String> views() {
        List<String> views = new ArrayList<>();
        try (SqliteStatement select = connection.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'view'")) {
            while (select.step()) views.add(String.valueOf(select.textAt(0)));
        }
        return views;
    }

    /// Puts a temporary view in the place of a view of the replica. It has the same text, in which names now mean the
    /// policed views.
    private void shadowView(String view) {
        String sql;
        try (SqliteStatement select =
                connection.prepare("SELECT sql FROM main.sqlite_schema WHERE type = 'view' AND name = ?1")) {
            select.bindText(1, view).step();
            sql = Objects.requireNonNullElse(select.textAt(0), "");
        }
        List<SqlWords.Word> words = SqlWords.of(sql);
        if (words.size() < 3 || !words.get(0).is("CREATE") || !words.get(1).is("VIEW")) return; // Still refused.
        // Under the view's own name, SQLite would not tell that this view is read if no column is needed.
        String rows = viewRow();
        connection.exec("CREATE TEMP VIEW %s%s"
                .formatted(SqlNames.quoted(rows), sql.substring(words.get(2).end())));
        if (policies.has(view, Action.SELECT)) {
            String all = rows;
            rows = viewRow();
            String condition = policies.condition(view, Action.SELECT, "", columns(all));
            connection.exec("CREATE TEMP VIEW %s AS SELECT * FROM temp.%s WHERE %s%s"
                    .formatted(SqlNames.quoted(rows), SqlNames.quoted(all), condition, BARRIER));
        }
        connection.exec(
                "CREATE TEMP VIEW %s AS SELECT * FROM temp.%s".formatted(SqlNames.quoted(view), SqlNames.quoted(rows)));
        shadows.put(SqlNames.folded(view), view);
    }

    private String viewRow() {
        String name = secretName("view_" + viewRows.size());
        viewRows.add(name);
        return name;
    }

    private List<String> columns(String view) {
        List<String> columns = new ArrayList<>();
        try (SqliteStatement info = connection.prepare("SELECT name FROM pragma_table_xinfo(?1, 'temp')")) {
            info.bindText(1, view);
            while (info.step()) columns.add(String.valueOf(info.textAt(0)));
        }
        return columns;
    }

    private void drop(String view) {
        connection.exec("DROP VIEW IF EXISTS temp." + SqlNames.quoted(view));
    }

    private static Optional<PerigeeException> noPolicy(String verb, String table) {
        return forbidden("No policy lets clients %s the table \"%s\".".formatted(verb, table));
    }

    private static Optional<PerigeeException> forbidden(String message) {
        return Optional.of(Fault.FORBIDDEN.saying(message));
    }
}
