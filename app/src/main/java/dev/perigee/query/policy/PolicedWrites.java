package dev.perigee.query.policy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.policy.Policy.Action;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The views and triggers that one statement of a policed caller needs on the write connection, and the changes that
/// the statement makes.
///
/// UPDATE and DELETE run on the policed view, so that their conditions see visible rows only. INSTEAD OF triggers on
/// the view note each row as it was and as it is to be. [#apply] then makes the changes, and checks the policies before
/// and after each.
///
/// A view has neither defaults nor conflict handling, so an INSERT runs on the table itself. Temporary triggers check
/// each row, and check for conflicts with hidden rows before SQLite does.
///
/// For the thread that owns the connection. Nothing is left of it when [#close] returns.
public final class PolicedWrites implements AutoCloseable {
    /// The beginning of the checks' messages. SQLite reports them as failed constraints.
    private static final String MARK = "perigee_policy: ";

    /// The end of the checks' messages.
    private static final String END = " :perigee_policy";

    private static final Pattern VIEW = Pattern.compile("cannot modify (.*) because it is a view");

    private final SqliteConnection connection;
    private final Policing policing;
    private final List<String> triggers = new ArrayList<>();
    private final List<Noted> noted = new ArrayList<>();
    private @Nullable String insertTarget;

    /// A table, and the name of the temporary table in which its changes are noted.
    private record Noted(PolicedTable table, String notes) {}

    public PolicedWrites(SqliteConnection connection, Policing policing) {
        this.connection = connection;
        this.policing = policing;
    }

    /// Puts the policed views in place. Prepares to note the changes of each table that `sql` may update or delete
    /// from.
    public void open(String sql) {
        String text = SqlNames.folded(sql);
        Policies policies = Policies.read(connection);
        // A view in the statement may use any table, so all of them get their policed views.
        policing.install(policies, _ -> true);
        for (String name : policies.tables()) {
            if (!text.contains(name) || !policies.has(name, Action.SELECT)) continue;
            if (!policies.has(name, Action.UPDATE) && !policies.has(name, Action.DELETE)) continue;
            PolicedTable.find(connection, name).ifPresent(this::note);
        }
    }

    /// Makes the table itself the target of an INSERT, with triggers that check each row.
    ///
    /// @throws PerigeeException [Fault#FORBIDDEN] if clients cannot insert into a table of this kind
    public void uncover(String name) {
        PolicedTable table = PolicedTable.find(connection, name)
                .orElseThrow(() -> Fault.FORBIDDEN.saying(
                        "Clients can insert into ordinary tables only, not \"%s\".".formatted(name)));
        for (Noted one : List.copyOf(noted)) if (one.table().name().equalsIgnoreCase(name)) forget(one);
        policing.uncover(name);
        insertTarget = table.name();
        police(table);
    }

    @Nullable
    public String insertTarget() {
        return insertTarget;
    }

    /// Whether the statement may delete rows by REPLACE. SQLite fires the triggers of such rows only with
    /// `PRAGMA recursive_triggers` on.
    public boolean mayReplace(String sql) {
        if (SqlWords.of(sql).stream().anyMatch(word -> word.is("REPLACE"))) return true;
        if (insertTarget == null) return false;
        try (SqliteStatement schema = connection.prepare(
                "SELECT 1 FROM main.sqlite_schema WHERE tbl_name = ?1 AND sql LIKE '%CONFLICT%REPLACE%'")) {
            return schema.bindText(1, insertTarget).step();
        }
    }

    /// Makes the changes that the statement's triggers noted.
    public void apply() {
        for (Noted one : noted) {
            long last = 0;
            while (true) {
                Change change = next(one, last);
                if (change == null) break;
                last = change.rowid();
                apply(one, change);
            }
        }
    }

    /// The refusal that an error of a check stands for; for any other error, the error itself.
    public static PerigeeException reason(SqliteException e) {
        String message = String.valueOf(e.getMessage());
        int mark = message.indexOf(MARK);
        if (mark >= 0) return Fault.FORBIDDEN.saying(refusalIn(message.substring(mark + MARK.length())));
        Matcher view = VIEW.matcher(message);
        if (view.find()) {
            return Fault.FORBIDDEN.saying(
                    "No policy lets clients change the table \"%s\" in this way.".formatted(view.group(1)));
        }
        return e;
    }

    /// The refusal at the beginning of `text`, without the error code that SQLite adds after it.
    private static String refusalIn(String text) {
        int end = text.indexOf(END);
        return end < 0 ? text : text.substring(0, end);
    }

    @Override
    public void close() {
        for (String trigger : triggers) connection.exec("DROP TRIGGER IF EXISTS temp." + SqlNames.quoted(trigger));
        triggers.clear();
        for (Noted one : noted) connection.exec("DROP TABLE IF EXISTS temp." + SqlNames.quoted(one.notes()));
        noted.clear();
        policing.remove();
    }

    private void note(PolicedTable table) {
        String notes = policing.secretName("notes_" + noted.size());
        String columns = java.util.stream.IntStream.range(0, table.columns().size())
                .mapToObj(i -> "o%d, n%d".formatted(i, i))
                .collect(Collectors.joining(", "));
        connection.exec("CREATE TEMP TABLE %s (id INTEGER PRIMARY KEY, deleted, %s)"
                .formatted(SqlNames.quoted(notes), columns));
        policing.trust(notes);
        Noted one = new Noted(table, notes);
        noted.add(one);
        Policies policies = policing.policies();
        if (policies.has(table.name(), Action.UPDATE)) noteTrigger(one, "UPDATE", "0", "NEW");
        if (policies.has(table.name(), Action.DELETE)) noteTrigger(one, "DELETE", "1", "OLD");
    }

    private void noteTrigger(Noted one, String event, String deleted, String next) {
        String values = one.table().columns().stream()
                .map(column -> "OLD.%s, %s.%s".formatted(SqlNames.quoted(column), next, SqlNames.quoted(column)))
                .collect(Collectors.joining(", "));
        trigger(
                "INSTEAD OF " + event + " ON temp."
                        + SqlNames.quoted(one.table().name()),
                "",
                List.of("INSERT INTO %s VALUES (NULL, %s, %s)"
                        .formatted(SqlNames.quoted(one.notes()), deleted, values)));
    }

    private void forget(Noted one) {
        noted.remove(one);
        policing.distrust(one.notes());
        connection.exec("DROP TABLE temp." + SqlNames.quoted(one.notes()));
    }

    private void police(PolicedTable table) {
        if (table.hasUniqueExpression()) {
            throw Fault.FORBIDDEN.saying("Clients cannot insert into \"%s\": it has a unique index on an expression."
                    .formatted(table.name()));
        }
        String on = " ON main." + SqlNames.quoted(table.name());
        List<String> before = new ArrayList<>();
        for (PolicedTable.Unique unique : table.uniques()) before.add(conflict(table, unique));
        if (!before.isEmpty()) trigger("BEFORE INSERT" + on, "", before);
        check(table, "AFTER INSERT" + on, Action.INSERT, "NEW.", "insert this row into");
        check(table, "BEFORE UPDATE" + on, Action.UPDATE, "OLD.", "update this row of");
        check(table, "AFTER UPDATE" + on, Action.UPDATE, "NEW.", "update this row of");
        check(table, "BEFORE DELETE" + on, Action.DELETE, "OLD.", "replace this row of");
    }

    /// SQL that fails if the new row conflicts with a hidden one. Its message is that of a unique constraint.
    private String conflict(PolicedTable table, PolicedTable.Unique unique) {
        // The alias is the table's own name, because an index's condition may use it.
        String rows = SqlNames.quoted(table.name());
        List<String> same = new ArrayList<>();
        for (int i = 0; i < unique.columns().size(); i++) {
            String column = SqlNames.quoted(String.valueOf(unique.columns().get(i)));
            same.add("%s.%s = NEW.%s COLLATE %s"
                    .formatted(
                            rows,
                            column,
                            column,
                            SqlNames.quoted(unique.collations().get(i))));
        }
        if (!unique.condition().isEmpty()) {
            String comes = table.columns().stream()
                    .map(column -> "NEW.%s AS %s".formatted(SqlNames.quoted(column), SqlNames.quoted(column)))
                    .collect(Collectors.joining(", "));
            same.add("(%s\n)".formatted(unique.condition()));
            same.add("EXISTS (SELECT 1 FROM (SELECT %s) AS %s WHERE %s\n)".formatted(comes, rows, unique.condition()));
        }
        String columns = unique.columns().stream()
                .map(column -> table.name() + "." + column)
                .collect(Collectors.joining(", "));
        return "SELECT RAISE(ABORT, %s) FROM main.%s AS %s WHERE %s AND (%s) IS NOT 1"
                .formatted(
                        literal("UNIQUE constraint failed: " + columns),
                        rows,
                        rows,
                        String.join(" AND ", same),
                        truth(policing.policies().condition(table.name(), Action.SELECT, rows + ".", table.columns())));
    }

    private void check(PolicedTable table, String event, Action action, String prefix, String verb) {
        String condition = truth(policing.policies().condition(table.name(), action, prefix, table.columns()));
        trigger(
                event,
                " WHEN (%s) IS NOT 1".formatted(condition),
                List.of("SELECT RAISE(ABORT, %s)".formatted(literal(MARK + refusal(verb, table) + END))));
    }

    private void trigger(String event, String when, List<String> steps) {
        String name = policing.secretName("check_" + triggers.size());
        connection.exec("CREATE TEMP TRIGGER %s %s FOR EACH ROW%s BEGIN %s; END"
                .formatted(SqlNames.quoted(name), event, when, String.join("; ", steps)));
        triggers.add(name);
        policing.trust(name);
    }

    private record Change(long rowid, boolean isDelete) {}

    private @Nullable Change next(Noted one, long after) {
        try (SqliteStatement select =
                connection.prepare("SELECT id, deleted FROM temp.%s WHERE id > ?1 ORDER BY id LIMIT 1"
                        .formatted(SqlNames.quoted(one.notes())))) {
            if (!select.bindInt(1, after).step()) return null;
            return new Change(select.intAt(0), select.intAt(1) == 1);
        }
    }

    /// Makes a change that was noted. Rows that are equal in all columns cannot be told apart, so any of them will do.
    private void apply(Noted one, Change change) {
        PolicedTable table = one.table();
        Policies policies = policing.policies();
        Action action = change.isDelete() ? Action.DELETE : Action.UPDATE;
        String row = identity(table);
        List<String> same = new ArrayList<>();
        for (int i = 0; i < table.columns().size(); i++) {
            // Byte for byte: under the column's own collation, two different rows may be equal.
            same.add("t.%s COLLATE BINARY IS n.o%d"
                    .formatted(SqlNames.quoted(table.columns().get(i)), i));
        }
        String found = "SELECT %s FROM main.%s AS t, temp.%s AS n WHERE n.id = ?1 AND %s AND (%s) IS 1%s LIMIT 1"
                .formatted(
                        table.hasRowid() ? "t." + row : "1",
                        SqlNames.quoted(table.name()),
                        SqlNames.quoted(one.notes()),
                        String.join(" AND ", same),
                        truth(policies.condition(table.name(), Action.SELECT, "t.", table.columns())),
                        "");
        long rowid;
        try (SqliteStatement select = connection.prepare(found)) {
            if (!select.bindInt(1, change.rowid()).step()) return; // An earlier change has removed or changed the row.
            rowid = select.intAt(0);
        }
        if (!change.isDelete()) refuseComputed(one, change);
        require(one, change, rowid, action, "o", change.isDelete() ? "delete this row of" : "update this row of");
        String where = table.hasRowid() ? row + " = ?2" : keyWhere(table, one.notes(), "o");
        String sql = change.isDelete()
                ? "DELETE FROM main.%s WHERE %s".formatted(SqlNames.quoted(table.name()), where)
                : "UPDATE OR ABORT main.%s SET %s WHERE %s" // Overrides ON CONFLICT REPLACE of the table's
                        // constraints, which would delete hidden rows.
                        .formatted(SqlNames.quoted(table.name()), assignments(table, one.notes()), where);
        try (SqliteStatement write = connection.prepare(sql)) {
            if (write.parameterIndex("?1") != 0) write.bindInt(1, change.rowid());
            if (table.hasRowid()) write.bindInt(2, rowid);
            write.run();
        }
        if (!change.isDelete()) require(one, change, rowid, action, "n", "update this row of");
    }

    /// Refuses a new value for a generated column. The table itself would refuse it, but its view takes a value for
    /// every column.
    private void refuseComputed(Noted one, Change change) {
        List<String> columns = one.table().columns();
        for (int i = 0; i < columns.size(); i++) {
            if (one.table().writable().contains(columns.get(i))) continue;
            String sql = "SELECT 1 FROM temp.%s WHERE id = ?1 AND o%d IS NOT n%d"
                    .formatted(SqlNames.quoted(one.notes()), i, i);
            try (SqliteStatement differs = connection.prepare(sql)) {
                if (!differs.bindInt(1, change.rowid()).step()) continue;
                throw Fault.INVALID_REQUEST.saying(
                        "The column \"%s\" is computed and cannot be set.".formatted(columns.get(i)));
            }
        }
    }

    /// Checks that the row, as it was (`o`) or as it is to be (`n`), satisfies the action's policies.
    ///
    /// @throws PerigeeException [Fault#FORBIDDEN] if it does not
    private void require(Noted one, Change change, long rowid, Action action, String side, String verb) {
        PolicedTable table = one.table();
        StringBuilder values = new StringBuilder();
        for (int i = 0; i < table.columns().size(); i++) {
            if (i > 0) values.append(", ");
            values.append("t.").append(SqlNames.quoted(table.columns().get(i)));
        }
        String key = table.hasRowid() ? identity(table) + " = ?2" : keyWhere(table, one.notes(), side);
        if (side.equals("n") && table.hasRowid() && isIntegerKey(table)) key = keyWhere(table, one.notes(), side);
        String sql = "SELECT 1 FROM main.%s AS t WHERE %s AND (%s) IS 1"
                .formatted(
                        SqlNames.quoted(table.name()),
                        key,
                        truth(policing.policies().condition(table.name(), action, "t.", table.columns())));
        try (SqliteStatement select = connection.prepare(sql)) {
            if (select.parameterIndex("?1") != 0) select.bindInt(1, change.rowid());
            if (select.parameterIndex("?2") != 0) select.bindInt(2, rowid);
            if (!select.step()) throw Fault.FORBIDDEN.saying(refusal(verb, table));
        }
    }

    /// Whether the key is the rowid itself. A change of the key then changes the rowid.
    private boolean isIntegerKey(PolicedTable table) {
        if (table.key().size() != 1) return false;
        try (SqliteStatement type = connection.prepare(
                "SELECT 1 FROM pragma_table_info(?1, 'main') WHERE pk = 1 AND type = 'INTEGER' COLLATE NOCASE")) {
            return type.bindText(1, table.name()).step();
        }
    }

    private static String assignments(PolicedTable table, String notes) {
        List<String> assignments = new ArrayList<>();
        for (int i = 0; i < table.columns().size(); i++) {
            String column = table.columns().get(i);
            if (!table.writable().contains(column)) continue;
            assignments.add("%s = (SELECT n%d FROM temp.%s WHERE id = ?1)"
                    .formatted(SqlNames.quoted(column), i, SqlNames.quoted(notes)));
        }
        return String.join(", ", assignments);
    }

    private static String keyWhere(PolicedTable table, String notes, String side) {
        return table.key().stream()
                .map(column -> "%s = (SELECT %s%d FROM temp.%s WHERE id = ?1)"
                        .formatted(
                                SqlNames.quoted(column), side, table.columns().indexOf(column), SqlNames.quoted(notes)))
                .collect(Collectors.joining(" AND "));
    }

    /// A name of the rowid that no column has taken.
    ///
    /// @throws PerigeeException [Fault#FORBIDDEN] if all three are taken
    private static String identity(PolicedTable table) {
        String name = PolicedTable.rowidName(table.columns());
        if (name != null) return name;
        throw Fault.FORBIDDEN.saying(
                "Clients cannot write to \"%s\": its columns use all names of the rowid.".formatted(table.name()));
    }

    /// Wraps a condition so that it is 1 or 0, with 0 for NULL, and its operators cannot bind to the SQL around it.
    private static String truth(String condition) {
        return "CASE WHEN " + condition + " THEN 1 ELSE 0 END";
    }

    private static String refusal(String verb, PolicedTable table) {
        return "No policy lets this client %s the table \"%s\".".formatted(verb, table.name());
    }

    private static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
