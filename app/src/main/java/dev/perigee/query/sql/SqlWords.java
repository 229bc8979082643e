package dev.perigee.query.sql;

import java.util.ArrayList;
import java.util.List;

/// The words of an SQL text as SQLite's tokenizer finds them: names, numbers and single signs, without blanks and
/// comments. Strings and quoted names are words too, with their quotes, so that none of them is taken for a keyword.
///
/// @see <a href="https://www.sqlite.org/lang_keywords.html">SQLite: Keywords</a>
public final class SqlWords {
    /// @param start where it begins in the text
    /// @param end after its last character
    public record Word(String text, int start, int end) {
        /// Compares without regard to case, but only for the letters A to Z, as SQLite does.
        public boolean is(String other) {
            if (text.length() != other.length()) return false;
            for (int i = 0; i < text.length(); i++) {
                if (small(text.charAt(i)) != small(other.charAt(i))) return false;
            }
            return true;
        }

        private static int small(char c) {
            return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
        }
    }

    /// Shared strings for the words of one ASCII character, which are most of the words of a long text.
    private static final String[] SIGNS = new String[128];

    static {
        for (char c = 0; c < SIGNS.length; c++) SIGNS[c] = String.valueOf(c);
    }

    private SqlWords() {}

    /// The words exactly as SQLite reads them. So a keyword that is hidden from this class is hidden from SQLite too.
    public static List<Word> of(String sql) {
        return words(sql, true);
    }

    /// The words of a text that still has macros: `$name(` is a name and a parenthesis. SQLite would read everything up
    /// to the closing parenthesis as one variable.
    public static List<Word> withMacros(String sql) {
        return words(sql, false);
    }

    private static List<Word> words(String sql, boolean hasSuffixes) {
        List<Word> words = new ArrayList<>();
        int i = next(sql, 0);
        while (i < sql.length()) {
            char c = sql.charAt(i);
            int end;
            if (c == '\'' || c == '"' || c == '`') {
                end = quoteEnd(sql, i, c);
            } else if (c == '[') {
                int close = sql.indexOf(']', i);
                end = close < 0 ? sql.length() : close + 1;
            } else if (c == '?') {
                end = i + 1;
                while (end < sql.length() && isDigit(sql.charAt(end))) end++;
            } else if (c == '$' || c == '@' || c == ':' || c == '#') {
                end = variableEnd(sql, i, hasSuffixes);
            } else if (isNamePart(c)) {
                end = i + 1;
                while (end < sql.length() && isNamePart(sql.charAt(end))) end++;
            } else {
                end = i + 1;
            }
            words.add(new Word(end == i + 1 && c < SIGNS.length ? SIGNS[c] : sql.substring(i, end), i, end));
            i = next(sql, end);
        }
        return words;
    }

    /// Where the text begins but for blanks, semicolons and comments; its length if there is nothing else.
    public static int begin(String sql) {
        int i = next(sql, 0);
        while (i < sql.length() && sql.charAt(i) == ';') i = next(sql, i + 1);
        return i;
    }

    /// Whether the text has nothing but blanks, semicolons and comments.
    public static boolean isBlank(String sql) {
        return begin(sql) == sql.length();
    }

    /// Whether `word` is anywhere in the text, even within a literal or another word: where it is not, the words need
    /// not be read.
    public static boolean mayHave(String sql, String word) {
        for (int i = sql.length() - word.length(); i >= 0; i--) {
            if (sql.regionMatches(true, i, word, 0, word.length())) return true;
        }
        return false;
    }

    /// Where the next word begins, at `from` or after the blanks and comments there.
    private static int next(String sql, int from) {
        int i = from;
        while (i < sql.length()) {
            if (isBlank(sql.charAt(i))) {
                i++;
            } else if (sql.startsWith("--", i)) {
                int line = sql.indexOf('\n', i);
                i = line < 0 ? sql.length() : line + 1;
            } else if (sql.startsWith("/*", i)) {
                int close = sql.indexOf("*/", i + 2);
                i = close < 0 ? sql.length() : close + 2;
            } else {
                return i;
            }
        }
        return i;
    }

    /// The end of a variable. As in Tcl, the variable may contain `::`, and may end with parentheses that contain
    /// anything but blanks, even quotes.
    private static int variableEnd(String sql, int start, boolean hasSuffixes) {
        int end = start + 1;
        boolean hasName = false;
        while (end < sql.length()) {
            char c = sql.charAt(end);
            if (isNamePart(c)) {
                hasName = true;
                end++;
            } else if (c == ':' && end + 1 < sql.length() && sql.charAt(end + 1) == ':') {
                end += 2;
            } else if (c == '(' && hasName && hasSuffixes) {
                while (end < sql.length() && !isAsciiBlank(sql.charAt(end)) && sql.charAt(end) != ')') end++;
                return end < sql.length() && sql.charAt(end) == ')' ? end + 1 : end;
            } else {
                break;
            }
        }
        return hasName ? end : start + 1;
    }

    private static int quoteEnd(String sql, int start, char quote) {
        int i = start + 1;
        while (i < sql.length()) {
            if (sql.charAt(i) != quote) i++;
            else if (i + 1 < sql.length() && sql.charAt(i + 1) == quote) i += 2;
            else return i + 1;
        }
        return sql.length();
    }

    private static boolean isAsciiBlank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == 0x0B;
    }

    /// To SQLite, blanks outside ASCII are letters, except for the byte order mark.
    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == 0xFEFF;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isNamePart(char c) {
        return c == '_'
                || c == '$'
                || c >= 0x80
                || c >= '0' && c <= '9'
                || c >= 'A' && c <= 'Z'
                || c >= 'a' && c <= 'z';
    }
}
