package dev.perigee.query;

import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.store.ChangeObserver;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The [CallerConnection] of each of the store's connections, made when first needed. Safe for many threads.
final class CallerConnections {
    private final Map<SqliteConnection, CallerConnection> connections = new ConcurrentHashMap<>();
    private final ProtectedTables protectedTables;
    private final Consumer<SqliteConnection> functions;
    private final Supplier<ChangeObserver> observer;

    /// @param functions registers the plugins' SQL functions with a connection
    /// @param observer the observer of writes at the moment
    CallerConnections(
            ProtectedTables protectedTables, Consumer<SqliteConnection> functions, Supplier<ChangeObserver> observer) {
        this.protectedTables = protectedTables;
        this.functions = functions;
        this.observer = observer;
    }

    CallerConnection of(SqliteConnection connection) {
        CallerConnection known = connections.get(connection);
        if (known != null) return known;
        connections.keySet().removeIf(SqliteConnection::isClosed); // The store may have replaced one.
        return connections.computeIfAbsent(
                connection, made -> new CallerConnection(made, protectedTables, functions, observer));
    }

    void forEach(Consumer<SqliteConnection> action) {
        connections.keySet().forEach(action);
    }
}
