package dev.perigee.source.postgres;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.ArrayList;
import java.util.List;

/// One SQL statement with its placeholders in the driver's form.
///
/// Callers write `?` or `$1`; the driver knows `?` only, and doubles the question mark of operators such as `jsonb ?
/// 'a'`.
/// Where a statement has `$1`, a question mark is an operator. What stands in strings, quoted names and comments is
/// never a placeholder.
///
/// @param sql for the driver
/// @param order for each `?` the index of its parameter, from 0
record Placeholders(String sql, List<Integer> order) {
    /// @throws PerigeeException [Fault#SOURCE_STATEMENT] for more than one statement
    static Placeholders parse(String sql) {
        Lexer lexer = new Lexer(sql);
        boolean isNumbered = false;
        while (lexer.next()) {
            if (lexer.isNumber()) isNumbered = true;
            if (lexer.isEnd() && lexer.hasMore()) {
                throw Fault.SOURCE_STATEMENT.in(
                        "the source's statement", "there is more than one statement in it", "Nothing was run");
            }
        }
        return isNumbered ? numbered(sql) : positional(sql);
    }

    /// How many parameters it needs.
    int count() {
        return order.stream().mapToInt(i -> i + 1).max().orElse(0);
    }

    private static Placeholders positional(String sql) {
        List<Integer> order = new ArrayList<>();
        Lexer lexer = new Lexer(sql);
        while (lexer.next()) {
            if (lexer.isQuestionMark()) order.add(order.size());
        }
        return new Placeholders(sql, order);
    }

    private static Placeholders numbered(String sql) {
        List<Integer> order = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        Lexer lexer = new Lexer(sql);
        while (lexer.next()) {
            if (lexer.isNumber()) {
                order.add(lexer.number() - 1);
                text.append('?');
            } else if (lexer.isQuestionMark()) {
                text.append("??");
            } else {
                text.append(lexer.text());
            }
        }
        return new Placeholders(text.toString(), order);
    }

    /// Cuts SQL into the pieces that matter here: a placeholder, a semicolon, a quoted piece or comment, a character.
    ///
    /// @see <a href="https://www.postgresql.org/docs/current/sql-syntax-lexical.html">PostgreSQL: lexical
    ///     structure</a>
    private static final class Lexer {
        private final String sql;
        private int start;
        private int end;

        Lexer(String sql) {
            this.sql = sql;
        }

        boolean next() {
            start = end;
            if (start >= sql.length()) return false;
            char c = sql.charAt(start);
            end = switch (c) {
                case '\'' -> quoted(isEscapeString());
                case '"' -> quoted(false);
                case '-' -> sql.startsWith("--", start) ? line() : start + 1;
                case '/' -> sql.startsWith("/*", start) ? comment() : start + 1;
                case '$' -> dollar();
                case '?' -> sql.startsWith("??", start) ? start + 2 : start + 1;
                default -> Character.isUnicodeIdentifierStart(c) || c == '_' ? word() : start + 1;
            };
            return true;
        }

        String text() {
            return sql.substring(start, end);
        }

        boolean isNumber() {
            return end - start > 1 && sql.charAt(start) == '$' && Character.isDigit(sql.charAt(start + 1));
        }

        int number() {
            String digits = sql.substring(start + 1, end);
            if (digits.length() <= 5 && Integer.parseInt(digits) >= 1) return Integer.parseInt(digits);
            throw Fault.SOURCE_STATEMENT.in(
                    "the source's statement", "there is no parameter $" + digits, "Nothing was run");
        }

        boolean isQuestionMark() {
            return end - start == 1 && sql.charAt(start) == '?';
        }

        boolean isEnd() {
            return sql.charAt(start) == ';';
        }

        /// Whether anything but blanks, comments and semicolons follows.
        boolean hasMore() {
            Lexer rest = new Lexer(sql);
            rest.end = end;
            while (rest.next()) {
                String text = rest.text();
                boolean isNothing =
                        text.isBlank() || text.equals(";") || text.startsWith("--") || text.startsWith("/*");
                if (!isNothing) return true;
            }
            return false;
        }

        /// Whether an `E` that is a word of its own stands before the quote.
        private boolean isEscapeString() {
            if (start == 0 || (sql.charAt(start - 1) | 0x20) != 'e') return false;
            return start == 1 || !Character.isUnicodeIdentifierPart(sql.charAt(start - 2));
        }

        private int quoted(boolean hasEscapes) {
            char quote = sql.charAt(start);
            int at = start + 1;
            while (at < sql.length()) {
                char c = sql.charAt(at);
                if (hasEscapes && c == '\\') at++;
                else if (c == quote) {
                    if (at + 1 >= sql.length() || sql.charAt(at + 1) != quote) return at + 1;
                    at++;
                }
                at++;
            }
            return sql.length();
        }

        private int line() {
            int newline = sql.indexOf('\n', start);
            return newline < 0 ? sql.length() : newline;
        }

        /// Comments nest.
        private int comment() {
            int depth = 0;
            int at = start;
            while (at < sql.length()) {
                if (sql.startsWith("/*", at)) {
                    depth++;
                    at += 2;
                } else if (sql.startsWith("*/", at)) {
                    at += 2;
                    if (--depth == 0) return at;
                } else {
                    at++;
                }
            }
            return sql.length();
        }

        /// `$1`, or a string between two `$tag$`.
        private int dollar() {
            int at = start + 1;
            if (at < sql.length() && Character.isDigit(sql.charAt(at))) {
                while (at < sql.length() && Character.isDigit(sql.charAt(at))) at++;
                return at;
            }
            while (at < sql.length() && Character.isUnicodeIdentifierPart(sql.charAt(at))) at++;
            if (at >= sql.length() || sql.charAt(at) != '$') return start + 1;
            String tag = sql.substring(start, at + 1);
            int close = sql.indexOf(tag, at + 1);
            return close < 0 ? sql.length() : close + tag.length();
        }

        /// A word may have dollars in it, which then begin nothing.
        private int word() {
            int at = start + 1;
            while (at < sql.length()) {
                char c = sql.charAt(at);
                if (!Character.isUnicodeIdentifierPart(c) && c != '$') break;
                at++;
            }
            return at;
        }
    }
}
