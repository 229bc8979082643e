package dev.perigee.plugin;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteFunction;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// The functions that plugins bring to SQL. Safe for many threads.
public final class SqlFunctions {
    private record Named(String name, int argumentCount, SqliteFunction function) {}

    private final List<Named> functions = new CopyOnWriteArrayList<>();

    void add(String name, int argumentCount, SqliteFunction function) {
        functions.add(new Named(name, argumentCount, function));
    }

    /// Makes all of them known to a connection.
    public void register(SqliteConnection connection) {
        for (Named each : functions) {
            connection.function(
                    each.name(), each.argumentCount(), EnumSet.noneOf(SqliteFunction.Trait.class), each.function());
        }
    }
}
