package dev.perigee.plugin.host;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteFunction;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The SQL functions that plugins have added. None is ever removed. Safe for many threads.
public final class SqlFunctions {
    /// @param argumentCount how many arguments it takes; -1 for any number
    public record Named(String name, int argumentCount, SqliteFunction function) {
        /// Registers the function on a connection.
        public void register(SqliteConnection connection) {
            connection.function(name, argumentCount, EnumSet.noneOf(SqliteFunction.Trait.class), function);
        }
    }

    private final List<Named> functions = new CopyOnWriteArrayList<>();

    public void add(String name, int argumentCount, SqliteFunction function) {
        functions.add(new Named(name, argumentCount, function));
    }

    /// All functions, in the order in which they were added.
    public List<Named> all() {
        return List.copyOf(functions);
    }

    public int size() {
        return functions.size();
    }

    public Named get(int index) {
        return functions.get(index);
    }

    /// Registers all functions on a connection.
    public void register(SqliteConnection connection) {
        for (Named each : functions) each.register(connection);
    }
}
