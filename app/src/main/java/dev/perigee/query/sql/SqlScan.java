package dev.perigee.query.sql;

/// Quick checks of SQL text that do not need its words.
public final class SqlScan {
    private static final String PRAGMA = "pragma";

    private SqlScan() {}

    /// The index in `text` at which something other than blanks, semicolons and comments begins; the text's length if
    /// there is nothing else.
    public static int firstToken(String text) {
        int i = 0;
        while (i < text.length()) {
            if (Character.isWhitespace(text.charAt(i)) || text.charAt(i) == ';' || text.charAt(i) == '\uFEFF') {
                i++;
            } else if (text.startsWith("--", i)) {
                int end = text.indexOf('\n', i);
                i = end < 0 ? text.length() : end + 1;
            } else if (text.startsWith("/*", i)) {
                int end = text.indexOf("*/", i + 2);
                i = end < 0 ? text.length() : end + 2;
            } else {
                return i;
            }
        }
        return i;
    }

    public static boolean isBlank(String text) {
        return firstToken(text) == text.length();
    }

    /// Whether `text` may be a pragma or use one as a table.
    public static boolean mentionsPragma(String text) {
        for (int i = text.length() - PRAGMA.length(); i >= 0; i--) {
            if (text.regionMatches(true, i, PRAGMA, 0, PRAGMA.length())) return true;
        }
        return false;
    }
}
