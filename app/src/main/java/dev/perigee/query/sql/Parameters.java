package dev.perigee.query.sql;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.StatementCall;
import org.jspecify.annotations.Nullable;

/// Binds a caller's values to a statement's parameters. A missing value is refused; SQLite itself would use NULL.
public final class Parameters {
    private Parameters() {}

    /// Binds the values. `?` takes the value at its own place, `?2` and `$2` take the second, and `:name`, `@name` and
    /// `$name` take the one of that name. If the values are a list, named parameters take them in the order in which
    /// they first appear.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if values and parameters do not match
    public static void bind(SqliteStatement statement, StatementCall call) {
        int count = statement.parameterCount();
        if (!call.named().isEmpty()) {
            for (int index = 1; index <= count; index++) {
                statement.bind(index, namedValue(call, index, statement.parameterName(index)));
            }
            return;
        }
        int wanted = 0;
        for (int index = 1; index <= count; index++) wanted = Math.max(wanted, place(statement, index));
        if (wanted != call.positional().size()) {
            throw Fault.INVALID_REQUEST.saying("Wrong number of parameters: the statement has %d, \"params\" has %d."
                    .formatted(wanted, call.positional().size()));
        }
        for (int index = 1; index <= count; index++) {
            statement.bind(index, call.positional().get(place(statement, index) - 1));
        }
    }

    /// The place, counted from 1, of the value in the list that a parameter takes. To SQLite `$2` is a name, which it
    /// numbers by its first appearance.
    private static int place(SqliteStatement statement, int index) {
        String name = statement.parameterName(index);
        if (name == null || name.length() < 2 || name.length() > 6 || name.charAt(0) != '$') return index;
        for (int i = 1; i < name.length(); i++) {
            if (name.charAt(i) < '0' || name.charAt(i) > '9') return index;
        }
        return Math.max(1, Integer.parseInt(name, 1, name.length(), 10));
    }

    private static Value namedValue(StatementCall call, int index, @Nullable String name) {
        if (name == null) {
            throw Fault.INVALID_REQUEST.saying(
                    "Parameter %d has no name, but \"params\" is an object: send an array.".formatted(index));
        }
        Value value = call.named().get(name.substring(1));
        if (value == null) {
            throw Fault.INVALID_REQUEST.saying("\"params\" has no value for the parameter %s.".formatted(name));
        }
        return value;
    }
}
