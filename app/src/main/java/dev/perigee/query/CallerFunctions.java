package dev.perigee.query;

import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteFunction.Trait;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.Caller;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// SQL functions that tell a statement who sent it: `context_id()` is the JWT's subject, and `context_claim('name')` is
/// one of its claims. Both are NULL for callers without a JWT. For the thread that owns the connection.
///
/// SQLite cannot parse StarbaseDB's spelling `context.id()`; [dev.perigee.query.sql.ContextSpelling] rewrites it.
final class CallerFunctions {
    private Caller caller = Caller.NOBODY;

    /// Registers the functions as deterministic, because their values are constant while a statement runs. So SQLite
    /// may call them only once, and use an index on the column that they are compared with.
    CallerFunctions(SqliteConnection connection) {
        Set<Trait> traits = EnumSet.of(Trait.DETERMINISTIC, Trait.INNOCUOUS);
        connection.function("context_id", 0, traits, _ -> subject());
        connection.function("context_claim", 1, traits, this::claim);
    }

    void caller(Caller next) {
        caller = next;
    }

    private Value subject() {
        return caller.subject().<Value>map(Value.Text::new).orElse(Value.Null.NULL);
    }

    private Value claim(List<Value> arguments) {
        return arguments.getFirst() instanceof Value.Text(String name)
                ? value(caller.claims().get(name))
                : Value.Null.NULL;
    }

    /// A claim as an SQL value.
    static Value value(@Nullable Object claim) {
        return switch (claim) {
            case null -> Value.Null.NULL;
            case Value known -> known; // In a worker process: the server has converted it.
            case String text -> new Value.Text(text);
            case Boolean truth -> new Value.Int(truth ? 1 : 0);
            case BigInteger whole when whole.bitLength() > 63 -> new Value.Text(whole.toString());
            case BigDecimal number -> new Value.Real(number.doubleValue());
            // A whole number that did not fit was read as a double. Its last digits are lost, so it could equal another
            // caller's.
            case Double number when Math.abs(number) >= 0x1p63 -> Value.Null.NULL;
            case Double number -> Double.isNaN(number) ? Value.Null.NULL : new Value.Real(number);
            case Float number -> Float.isNaN(number) ? Value.Null.NULL : new Value.Real(number);
            case Number whole -> new Value.Int(whole.longValue());
            default -> new Value.Text(Json.MAPPER.writeValueAsString(claim));
        };
    }
}
