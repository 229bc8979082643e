package dev.perigee.query.sql;

import java.util.List;

/// Rewrites StarbaseDB's spelling `context.id()` to the function `context_id()`. SQLite would take `context.id` for a
/// column and fail at the parenthesis.
public final class ContextSpelling {
    private static final String WORD = "context";

    private ContextSpelling() {}

    /// The statement with `context.id()` replaced by `context_id()`, except in strings, quoted names and comments.
    public static String rewritten(String sql) {
        if (!SqlWords.mayHave(sql, WORD)) return sql;
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
}
