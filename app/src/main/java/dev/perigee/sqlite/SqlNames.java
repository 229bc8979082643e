package dev.perigee.sqlite;

import java.util.Collection;
import java.util.stream.Collectors;

/// Quotes, unquotes and compares identifiers as SQLite does.
///
/// @see <a href="https://www.sqlite.org/lang_keywords.html">SQLite: quoted identifiers</a>
public final class SqlNames {
    private SqlNames() {}

    /// The name in double quotes, for use in a statement. The name may contain any character.
    public static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /// The names in double quotes, separated by commas.
    public static String quoted(Collection<String> names) {
        return names.stream().map(SqlNames::quoted).collect(Collectors.joining(","));
    }

    /// The name that a word in a statement stands for. The word may be in any of SQLite's quotes: double quotes, single
    /// quotes, backticks or brackets.
    public static String unquoted(String word) {
        if (word.length() < 2) return word;
        char first = word.charAt(0);
        String inner = word.substring(1, word.length() - 1);
        return switch (first) {
            case '[' -> inner;
            case '"', '`', '\'' -> inner.replace(String.valueOf(first).repeat(2), String.valueOf(first));
            default -> word;
        };
    }

    /// The name in the form by which SQLite compares names: ASCII letters in lower case, all others unchanged.
    public static String folded(String name) {
        int first = 0;
        while (first < name.length() && !isCapital(name.charAt(first))) first++;
        if (first == name.length()) return name;
        char[] letters = name.toCharArray();
        for (int i = first; i < letters.length; i++) {
            if (isCapital(letters[i])) letters[i] += 'a' - 'A';
        }
        return new String(letters);
    }

    private static boolean isCapital(char c) {
        return c >= 'A' && c <= 'Z';
    }
}
