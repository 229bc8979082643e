package dev.perigee.source.postgres.statement;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.SqlStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Turns `:name` into `$1`, where there is a value of that name. Elsewhere the server gives the colon its meaning: a
/// cast (`::`), or the bounds of a slice (`a[1:n]`, unless a value is called `n`).
final class NamedPlaceholders {
    private NamedPlaceholders() {}

    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_STATEMENT] for a value that has no placeholder, and for
    ///     a placeholder `$1`
    static SqlStatement numbered(SqlStatement asked) {
        Map<String, Value> values = asked.named();
        StringBuilder out = new StringBuilder();
        List<String> order = new ArrayList<>();
        SqlLexer lexer = new SqlLexer(asked.sql());
        String before = "";
        boolean followsColon = false;
        for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
            String text = lexer.text();
            if (kind == SqlLexer.Kind.PARAMETER) {
                throw Fault.SOURCE_STATEMENT.in(
                        "the source's statement",
                        "with \"params\" as an object, placeholders are `:name`, but found `%s`".formatted(text),
                        "It was not sent");
            }
            boolean isPlace = followsColon && kind == SqlLexer.Kind.WORD && values.containsKey(text);
            if (isPlace) {
                if (!order.contains(text)) order.add(text);
                out.setLength(out.length() - 1);
                out.append('$').append(order.indexOf(text) + 1);
            } else {
                out.append(text);
            }
            followsColon = text.equals(":") && !before.equals(":");
            before = text;
        }
        Set<String> unused = new TreeSet<>(values.keySet());
        order.forEach(unused::remove);
        if (!unused.isEmpty()) {
            throw Fault.SOURCE_STATEMENT.in(
                    "the source's statement",
                    "it has no placeholder `:%s` for the value of that name"
                            .formatted(unused.iterator().next()),
                    "It was not sent");
        }
        return new SqlStatement(out.toString(), order.stream().map(values::get).toList(), Map.of());
    }
}
