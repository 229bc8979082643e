package dev.perigee.source.postgres.statement;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.ArrayList;
import java.util.List;

/// One statement with `?` or `$1` placeholders, in the form that pgjdbc takes.
///
/// pgjdbc numbers every `?` in order and sends the rest of the text as it is. So the first mention of each `$n` becomes
/// a `?`, which gets its number in the order of first mentions. Later mentions become that number. The server then sees
/// the same parameter in both places, and `GROUP BY $1` means what it says.
///
/// Where there is a `$n`, each `?` is an operator (`?`, `?|` and `?&` of jsonb). Elsewhere `?|` and `?&` are operators
/// unless a second `|` follows (`?||'x'`), and `??` is the operator `?`, as everywhere in JDBC.
///
/// @param sql for pgjdbc
/// @param order for each of pgjdbc's parameters, which of the caller's values it takes, from 0
/// @param edits turn the server's positions into positions in the caller's statement
record Placeholders(String sql, List<Integer> order, List<Edit> edits) {
    /// From `serverOffset` on, the caller's text is `shift` characters ahead of the server's.
    record Edit(int serverOffset, int shift) {}

    Placeholders {
        order = List.copyOf(order);
        edits = List.copyOf(edits);
    }

    /// @throws PerigeeException [Fault#SOURCE_STATEMENT] for more than one statement, mixed placeholders, or a number
    ///     of parameters that differs from `values`
    static Placeholders of(String sql, int values) {
        return new Translation(sql, isNumbered(sql)).run(values);
    }

    /// The position in the caller's statement for a position that the server reported; both count from 1.
    int position(int serverPosition) {
        int shift = 0;
        for (Edit edit : edits) if (edit.serverOffset() < serverPosition) shift = edit.shift();
        return Math.max(1, serverPosition + shift);
    }

    private static boolean isNumbered(String sql) {
        SqlLexer lexer = new SqlLexer(sql);
        for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
            if (kind == SqlLexer.Kind.PARAMETER) return true;
        }
        return false;
    }

    private static PerigeeException refused(String what) {
        return Fault.SOURCE_STATEMENT.in("the source's statement", what, "It was not sent");
    }

    private static final class Translation {
        private final String sql;
        private final boolean isNumbered;
        private final StringBuilder out = new StringBuilder();
        private final List<Integer> order = new ArrayList<>();
        private final List<Edit> edits = new ArrayList<>();

        /// The length, up to here, of what pgjdbc will send, in characters.
        private int serverLength;

        private boolean isEnded;
        private char before = '(';

        Translation(String sql, boolean isNumbered) {
            this.sql = sql;
            this.isNumbered = isNumbered;
        }

        Placeholders run(int values) {
            SqlLexer lexer = new SqlLexer(sql);
            int skipTo = 0;
            for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
                if (lexer.start() < skipTo) continue;
                String text = lexer.text();
                if (kind == SqlLexer.Kind.SPACE) {
                    copy(text);
                    continue;
                }
                if (isEnded && !text.equals(";")) throw refused("expected one statement but found another after `;`");
                switch (kind) {
                    case PARAMETER -> numbered(text, lexer.end());
                    case SYMBOL -> skipTo = symbol(text, lexer.start());
                    case STRING, WORD -> copy(text);
                    case SPACE, END -> throw new IllegalStateException("handled above");
                }
                before = text.charAt(text.length() - 1);
            }
            check(values);
            return new Placeholders(out.toString(), order, edits);
        }

        /// @return the position at which to continue
        private int symbol(String text, int at) {
            if (text.equals(";")) {
                isEnded = true; // pgjdbc itself would split the statement there
                copy(" ");
                return at + 1;
            }
            if (!text.equals("?")) {
                copy(text);
                return at + 1;
            }
            boolean isDoubled = sql.startsWith("??", at);
            if (isNumbered) {
                if (looksLikePlaceholder(at)) {
                    throw refused("placeholders `?` and `$1` are mixed; use one kind");
                }
                operator(isDoubled ? 2 : 1, at);
                return at + (isDoubled ? 2 : 1);
            }
            if (isDoubled) {
                operator(2, at);
                return at + 2;
            }
            if (isJsonOperator(at)) {
                operator(1, at);
                return at + 1;
            }
            parameter(order.size(), at + 1);
            return at + 1;
        }

        private boolean isJsonOperator(int at) {
            return sql.startsWith("?&", at) || (sql.startsWith("?|", at) && !sql.startsWith("?||", at));
        }

        /// Whether the `?` looks like a placeholder, which is a value. An operator stands between two values.
        private boolean looksLikePlaceholder(int at) {
            int i = at + 1;
            while (i < sql.length() && Character.isWhitespace(sql.charAt(i))) i++;
            boolean endsValue = i == sql.length() || ",);".indexOf(sql.charAt(i)) >= 0;
            boolean isOperator = i < sql.length() && i == at + 1 && "?|&-#".indexOf(sql.charAt(i)) >= 0;
            return endsValue || (!isOperator && "=<>+*/%(,".indexOf(before) >= 0);
        }

        private void numbered(String text, int end) {
            int number;
            try {
                number = Integer.parseInt(text, 1, text.length(), 10);
            } catch (NumberFormatException e) {
                throw refused("expected a parameter's number but found `" + text + "`");
            }
            if (number < 1) throw refused("parameters are counted from `$1` but found `" + text + "`");
            int known = order.indexOf(number - 1);
            if (known < 0) {
                parameter(number - 1, end);
            } else {
                String name = "$" + (known + 1);
                out.append(name);
                edited(name.length(), end);
            }
        }

        private void parameter(int value, int end) {
            order.add(value);
            out.append('?');
            edited(1 + String.valueOf(order.size()).length(), end);
        }

        private void operator(int length, int at) {
            out.append("??");
            edited(1, at + length);
        }

        private void copy(String text) {
            out.append(text);
            serverLength += text.length();
        }

        private void edited(int length, int callersEnd) {
            serverLength += length;
            edits.add(new Edit(serverLength, callersEnd - serverLength));
        }

        private void check(int values) {
            int wanted = isNumbered ? order.stream().mapToInt(i -> i + 1).max().orElse(0) : order.size();
            if (wanted != values) {
                throw refused("expected %d parameters but found %d%s"
                        .formatted(
                                wanted,
                                values,
                                isNumbered ? "" : " (the operator `?` is written `??`, unless placeholders are `$1`)"));
            }
            for (int i = 0; i < wanted; i++) {
                if (!order.contains(i)) throw refused("parameter `$%d` is not used".formatted(i + 1));
            }
        }
    }
}
