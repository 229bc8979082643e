package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a schema's views, triggers and computed columns add to the statements that use them. Clients may
/// make any of
/// them, so they are looked at before a client's change of the schema is committed. For the thread that
/// owns the
/// connection.
final class SchemaSize {
    /// Words of any one statement that come from views and common table expressions. SQLite takes 0.05 to
    /// 0.6 ms for
    /// each use of one, which has six words at least.
    static final long MAX_WORDS = 20_000;

    /// Words of a statement once its subqueries are merged. Past it they are not: SQLite takes a
    /// microsecond for each.
    static final long MAX_MERGED_WORDS = 1_000_000;

    /// Words above each other in a tree; a reader's stack has 16 MiB, and each takes some hundred bytes.
    static final long MAX_PATH = 50_000;

    /// Triggers may fire each other in a chain, which the compiler follows to its end.
    static final int MAX_TRIGGERS = 200;

    /// Computed columns of a table, which may name each other in a chain.
    static final int MAX_COMPUTED = 200;

    private static final String NAMED =
            "SELECT name, sql FROM main.sqlite_schema WHERE type = ?1 AND tbl_name NOT LIKE 'tmp\\_%' ESCAPE '\\'";

    private final SqliteConnection connection;
    private final Map<String, String> views = new HashMap<>();
    private final Map<String, Expansion.Size> sizes = new HashMap<>();
    private final Set<String> underWay = new HashSet<>();
    private long version = -1;

    SchemaSize(SqliteConnection connection) {
        this.connection = connection;
    }

    /// What is remembered may be of a transaction that was undone.
    void forget() {
        version = -1;
    }

    /// Of a statement.
    ///
    /// @throws PerigeeException [Fault#TOO_LARGE] where SQLite would make more of it than of a client's it
    ///     should
    Expansion.Size of(String sql) {
        read();
        Expansion.Size size = new Expansion(sql, this::view).size();
        refuse(size);
        return size;
    }

    /// Makes the connection ready to compile a statement of this size: one that is too large once its
    /// subqueries are
    /// merged is compiled without.
    ///
    /// @return whether it merges; if not, [SqliteConnection#mergeSubqueries] is to be called when the
    ///     statement is over
    /// @throws PerigeeException [Fault#TOO_LARGE] if it cannot be told not to
    boolean merges(Expansion.Size size) {
        if (size.merged() <= MAX_MERGED_WORDS) return true;
        if (connection.mergeSubqueries(false)) return false;
        throw Fault.TOO_LARGE.saying(
                "The columns of the statement's subqueries become more than %d words when they are put together: name each fewer times."
                        .formatted(MAX_MERGED_WORDS));
    }

    long version() {
        try (SqliteStatement select = connection.prepare("PRAGMA main.schema_version")) {
            select.step();
            return select.intAt(0);
        }
    }

    /// Looks at all of the schema.
    ///
    /// @throws PerigeeException [Fault#TOO_LARGE] where it holds what no statement of a client should be
    ///     made to use
    void check() {
        forget();
        read();
        for (String name : views.keySet()) view(name).ifPresent(SchemaSize::refuse);
        checkTriggers();
        checkComputed();
    }

    private void checkTriggers() {
        long added = 0;
        int count = 0;
        try (SqliteStatement triggers = connection.prepare(NAMED)) {
            triggers.bindText(1, "trigger");
            while (triggers.step()) {
                Expansion.Size size = new Expansion(String.valueOf(triggers.textAt(1)), this::view).size();
                refuse(size);
                added += size.added() + Math.max(0, size.merged() - size.words());
                count++;
            }
        }
        if (count <= MAX_TRIGGERS && added <= MAX_WORDS) return;
        throw Fault.TOO_LARGE.saying(
                "A client may make at most %d triggers, with views and subqueries of %d words in all: this would be %d, with %d."
                        .formatted(MAX_TRIGGERS, MAX_WORDS, count, added));
    }

    private void checkComputed() {
        try (SqliteStatement tables = connection.prepare(NAMED)) {
            tables.bindText(1, "table");
            while (tables.step()) {
                int computed = new Expansion(String.valueOf(tables.textAt(1)), _ -> Optional.empty()).count("AS");
                if (computed <= MAX_COMPUTED) continue;
                throw Fault.TOO_LARGE.saying("The table \"%s\" has more than %d computed columns."
                        .formatted(tables.textAt(0), MAX_COMPUTED));
            }
        }
    }

    private static void refuse(Expansion.Size size) {
        if (size.levels() > Expansion.MAX_LEVELS || size.path() > MAX_PATH) throw Expansion.tooDeep();
        if (size.added() <= MAX_WORDS) return;
        throw Fault.TOO_LARGE.saying(
                "Views and common table expressions make the statement %d words larger, which is more than %d: name each fewer times, or make tables of some."
                        .formatted(size.added(), MAX_WORDS));
    }

    private Optional<Expansion.Size> view(String name) {
        String sql = views.get(name);
        if (sql == null) return Optional.empty();
        Expansion.Size known = sizes.get(name);
        if (known != null) return Optional.of(known);
        // One that uses itself is refused by SQLite as soon as it comes to it.
        if (!underWay.add(name)) return Optional.of(Expansion.ONE);
        try {
            Expansion.Size size = new Expansion(sql, this::view).size();
            sizes.put(name, size);
            return Optional.of(size);
        } finally {
            underWay.remove(name);
        }
    }

    private void read() {
        long now = version();
        if (now == version) return;
        views.clear();
        sizes.clear();
        try (SqliteStatement select = connection.prepare(NAMED)) {
            select.bindText(1, "view");
            while (select.step()) {
                views.put(Policing.folded(String.valueOf(select.textAt(0))), String.valueOf(select.textAt(1)));
            }
        }
        version = now;
    }
}
