package dev.perigee.source.postgres.statement;

/// Splits PostgreSQL's SQL into tokens, and tells code from what only looks like it: strings, quoted names, comments.
///
/// It reads as the server does with `standard_conforming_strings`, which has been the default since version 9.1.
///
/// @see <a href="https://www.postgresql.org/docs/current/sql-syntax-lexical.html">PostgreSQL: Lexical structure</a>
final class SqlLexer {
    enum Kind {
        /// White space and comments.
        SPACE,
        /// A string constant, in quotes or dollars.
        STRING,
        /// A key word, a number, or a name, quoted or not.
        WORD,
        /// `$1`.
        PARAMETER,
        /// Any other character, one at a time.
        SYMBOL,
        END
    }

    private final String sql;
    private int start;
    private int end;

    SqlLexer(String sql) {
        this.sql = sql;
    }

    int start() {
        return start;
    }

    int end() {
        return end;
    }

    String text() {
        return sql.substring(start, end);
    }

    /// Moves to the next token. A token that is not closed reaches to the end of the text, where the server will report
    /// it.
    Kind next() {
        start = end;
        if (start == sql.length()) return Kind.END;
        char c = sql.charAt(start);
        if (Character.isWhitespace(c)) return to(whitespace(), Kind.SPACE);
        if (sql.startsWith("--", start)) return to(lineEnd(), Kind.SPACE);
        if (sql.startsWith("/*", start)) return to(commentEnd(), Kind.SPACE);
        if (c == '\'') return to(quoteEnd(start, '\'', false), Kind.STRING);
        if (c == '"') return to(quoteEnd(start, '"', false), Kind.WORD);
        if (c == '$') return dollar();
        if (isWordStart(c) || isDigit(c)) return word();
        return to(start + 1, Kind.SYMBOL);
    }

    private Kind to(int position, Kind kind) {
        end = position;
        return kind;
    }

    private Kind word() {
        int i = start;
        while (i < sql.length() && isWordPart(sql.charAt(i))) i++;
        boolean isEscape = i - start == 1 && (sql.charAt(start) == 'e' || sql.charAt(start) == 'E');
        if (isEscape && i < sql.length() && sql.charAt(i) == '\'') return to(quoteEnd(i, '\'', true), Kind.STRING);
        return to(i, Kind.WORD);
    }

    private Kind dollar() {
        int i = start + 1;
        while (i < sql.length() && isDigit(sql.charAt(i))) i++;
        if (i > start + 1) return to(i, Kind.PARAMETER);
        if (i < sql.length() && isWordStart(sql.charAt(i))) {
            while (i < sql.length() && isWordPart(sql.charAt(i)) && sql.charAt(i) != '$') i++;
        }
        if (i == sql.length() || sql.charAt(i) != '$') return to(start + 1, Kind.SYMBOL);
        String tag = sql.substring(start, i + 1);
        int close = sql.indexOf(tag, i + 1);
        return to(close < 0 ? sql.length() : close + tag.length(), Kind.STRING);
    }

    private int whitespace() {
        int i = start;
        while (i < sql.length() && Character.isWhitespace(sql.charAt(i))) i++;
        return i;
    }

    private int lineEnd() {
        int i = start;
        while (i < sql.length() && sql.charAt(i) != '\n' && sql.charAt(i) != '\r') i++;
        return i;
    }

    private int commentEnd() {
        int depth = 0;
        int i = start;
        while (i < sql.length()) {
            if (sql.startsWith("/*", i)) {
                depth++;
                i += 2;
            } else if (sql.startsWith("*/", i)) {
                depth--;
                i += 2;
                if (depth == 0) return i;
            } else {
                i++;
            }
        }
        return i;
    }

    /// Where the quoted text that begins at `open` ends. A doubled quote is part of the text.
    private int quoteEnd(int open, char quote, boolean hasEscapes) {
        for (int i = open + 1; i < sql.length(); i++) {
            char c = sql.charAt(i);
            if (hasEscapes && c == '\\') {
                i++;
            } else if (c == quote) {
                boolean isDoubled = i + 1 < sql.length() && sql.charAt(i + 1) == quote;
                if (!isDoubled) return i + 1;
                i++;
            }
        }
        return sql.length();
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isWordStart(char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128;
    }

    private static boolean isWordPart(char c) {
        return isWordStart(c) || isDigit(c) || c == '$';
    }
}
