package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;

/// The prepared statements of one connection, by text, least recently used first to go.
///
/// A statement that the running work has is never closed under it: what is over the bound goes when the work ends.
/// SQLite prepares a statement anew by itself when the schema has changed under it.
final class StatementCache implements AutoCloseable {
    static final int MAX_STATEMENTS = 256;

    private final SqliteConnection connection;
    private final Map<String, Cached> statements = new LinkedHashMap<>(64, 0.75f, true);
    private final List<Cached> inUse = new ArrayList<>();

    /// One statement and whether the running work has it.
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

    /// The statement for `sql`, reset and without bindings.
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

    /// Takes back every statement the work had: their read marks and the memory bound to them are let go.
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
            throw new IllegalArgumentException("a cached statement is one statement, not several: " + sql);
        }
        return statement;
    }

    private static void clear(SqliteStatement statement) {
        statement.reset();
        statement.clearBindings();
    }
}
