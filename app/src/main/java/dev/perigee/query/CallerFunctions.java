package dev.perigee.query;

import dev.perigee.plugin.Caller;
import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteFunction.Trait;
import dev.perigee.sqlite.Value;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a statement can ask about who sent it: `context_id()`, the JWT's subject, and `context_claim('name')`. NULL for
/// callers without a JWT. For the thread that owns the connection.
///
/// StarbaseDB's spelling `context.id()` is no SQL that SQLite reads; [#withContext] spells it anew.
final class CallerFunctions {
    private static final String WORD = "context";

    private Caller caller = Caller.NOBODY;

    /// Constant while a statement runs: SQLite may call them once and use an index on what they compare with.
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

    /// A claim as SQL sees it.
    static Value value(@Nullable Object claim) {
        return switch (claim) {
            case null -> Value.Null.NULL;
            case Value known -> known; // In a worker process, which the server has sent it to.
            case String text -> new Value.Text(text);
            case Boolean truth -> new Value.Int(truth ? 1 : 0);
            case BigInteger whole when whole.bitLength() > 63 -> new Value.Text(whole.toString());
            case BigDecimal number -> new Value.Real(number.doubleValue());
            // A whole number that did not fit came as this, and no longer tells one caller from the next.
            case Double number when Math.abs(number) >= 0x1p63 -> Value.Null.NULL;
            case Double number -> Double.isNaN(number) ? Value.Null.NULL : new Value.Real(number);
            case Float number -> Float.isNaN(number) ? Value.Null.NULL : new Value.Real(number);
            case Number whole -> new Value.Int(whole.longValue());
            default -> new Value.Text(Json.MAPPER.writeValueAsString(claim));
        };
    }

    /// The statement with `context.id()` spelt `context_id()`, but for what is in strings, quoted names and comments.
    static String withContext(String sql) {
        if (!mentions(sql)) return sql;
        List<SqlWords.Word> words = SqlWords.of(sql);
        StringBuilder changed = new StringBuilder();
        int from = 0;
        for (int i = 0; i + 4 < words.size(); i++) {
            if (!words.get(i).is(WORD)
                    || !words.get(i + 1).is(".")
                    || !words.get(i + 2).is("id")
                    || !words.get(i + 3).is("(")
                    || !words.get(i + 4).is(")")
                    || i > 0 && words.get(i - 1).is(".")) {
                continue;
            }
            changed.append(sql, from, words.get(i).start()).append("context_id()");
            from = words.get(i + 4).end();
        }
        return changed.append(sql, from, sql.length()).toString();
    }

    private static boolean mentions(String sql) {
        for (int i = sql.length() - WORD.length(); i >= 0; i--) {
            if (sql.regionMatches(true, i, WORD, 0, WORD.length())) return true;
        }
        return false;
    }
}
