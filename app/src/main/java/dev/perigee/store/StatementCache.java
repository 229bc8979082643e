package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;

/// Caches the prepared statements of one connection by their text. The least recently used are closed first.
///
/// A statement that running work has taken is never closed meanwhile; the cache is cut to [#MAX_STATEMENTS] when the
/// work ends. If the schema has changed, SQLite prepares a statement again by itself. Used only by the thread that has
/// the connection.
final class StatementCache implements AutoCloseable {
    static final int MAX_STATEMENTS = 256;

    private final SqliteConnection connection;
    private final Map<String, Cached> statements = new LinkedHashMap<>(64, 0.75f, true);
    private final List<Cached> inUse = new ArrayList<>();

    /// A statement, and whether the running work has taken it.
    private static final class Cached {
        final SqliteStatement statement;
        boolean isInUse;

        Cached(SqliteStatement statement) {
            this.statement = statement;
        }
    }

    StatementCache(SqliteConnection connection) {
        this.connection = connection;
    }

    /// Takes the statement for `sql`, reset and without bindings; prepares it if it is not cached.
    SqliteStatement take(String sql) {
        Cached cached = statements.get(sql);
        if (cached == null) {
            cached = new Cached(prepare(sql));
            statements.put(sql, cached);
        }
        if (cached.isInUse) {
            clear(cached.statement);
        } else {
            cached.isInUse = true;
            inUse.add(cached);
        }
        return cached.statement;
    }

    /// Takes back all statements the work has taken. Resetting them releases their read marks in the WAL and the memory
    /// bound to them.
    void giveBack() {
        for (Cached cached : inUse) {
            clear(cached.statement);
            cached.isInUse = false;
        }
        inUse.clear();
        Iterator<Entry<String, Cached>> eldest = statements.entrySet().iterator();
        while (statements.size() > MAX_STATEMENTS) {
            eldest.next().getValue().statement.close();
            eldest.remove();
        }
    }

    int size() {
        return statements.size();
    }

    @Override
    public void close() {
        for (Cached cached : statements.values()) cached.statement.close();
        statements.clear();
        inUse.clear();
    }

    private SqliteStatement prepare(String sql) {
        SqliteStatement statement = connection.prepare(sql);
        if (!statement.tail().isBlank()) {
            statement.close();
            throw new IllegalArgumentException("expected one SQL statement but found several: " + sql);
        }
        return statement;
    }

    private static void clear(SqliteStatement statement) {
        statement.reset();
        statement.clearBindings();
    }
}
