package dev.perigee.query.sql;

import dev.perigee.sqlite.SqlNames;
import java.util.List;
import java.util.regex.Pattern;

/// The shape of a statement: its text without literals, blanks and comments. Statements for the external database are
/// compared and counted by their shape, because SQLite may not be able to parse them.
public final class StatementShape {
    /// Numbers and parameters. `$a$` is not among them: it begins a dollar-quoted string in PostgreSQL.
    private static final Pattern VALUE = Pattern.compile("[0-9][0-9A-Za-z_]*|\\$[0-9]+|\\?[0-9]*");

    private StatementShape() {}

    /// Whether the text has a macro, `$name(`, which SQLite cannot parse until a plugin has expanded it.
    ///
    /// The expansion depends on the table's columns, so such statements are compared as they were sent.
    public static boolean hasMacro(String sql) {
        if (sql.indexOf('$') < 0) return false;
        List<SqlWords.Word> words = SqlWords.withMacros(sql);
        for (int i = 0; i + 1 < words.size(); i++) if (isMacro(words, i)) return true;
        return false;
    }

    private static boolean isMacro(List<SqlWords.Word> words, int at) {
        String text = words.get(at).text();
        return text.length() > 1
                && text.charAt(0) == '$'
                && at + 1 < words.size()
                && words.get(at + 1).is("(");
    }

    /// The text's words with one blank between them. Literals and parameters are `?`, and unquoted words are in lower
    /// case. Text that PostgreSQL may read differently stays as it is, so that it equals only itself. The arguments of
    /// a macro stay too, because they say which columns are shown.
    public static String of(String sql) {
        StringBuilder text = new StringBuilder();
        SqlWords.Word before = new SqlWords.Word("", 0, 0);
        List<SqlWords.Word> words = hasMacro(sql) ? SqlWords.withMacros(sql) : SqlWords.of(sql);
        int macroDepth = 0;
        for (int i = 0; i < words.size(); i++) {
            SqlWords.Word word = words.get(i);
            String gap = sql.substring(before.end(), word.start());
            if (!isBlank(gap)) text.append(' ').append(gap);
            boolean isEscaped = before.is("E") && gap.isEmpty();
            before = word;
            if (word.is(";") && isBlank(sql.substring(word.end()))) continue;
            if (!text.isEmpty()) text.append(' ');
            if (macroDepth == 0 && i > 0 && isMacro(words, i - 1)) macroDepth = 1;
            else if (macroDepth > 0 && word.is("(")) macroDepth++;
            else if (macroDepth > 0 && word.is(")")) macroDepth--;
            char first = word.text().charAt(0);
            boolean isQuoted = first == '"' || first == '`' || first == '[' || first == '\'';
            boolean isValue =
                    first == '\'' ? !isEscaped : VALUE.matcher(word.text()).matches();
            if (isValue && macroDepth == 0) text.append('?');
            else text.append(isQuoted ? word.text() : SqlNames.folded(word.text()));
        }
        String rest = sql.substring(before.end());
        return isBlank(rest) ? text.toString() : text.append(' ').append(rest).toString();
    }

    /// Whether this is only blanks and comments, to SQLite and to PostgreSQL. PostgreSQL also ends a line at a carriage
    /// return, and its comments nest.
    private static boolean isBlank(String gap) {
        int i = 0;
        while (i < gap.length()) {
            if (gap.startsWith("--", i)) {
                int end = gap.indexOf('\n', i);
                int last = end < 0 ? gap.length() : end;
                int stop = gap.indexOf('\r', i);
                if (stop >= 0 && stop < last - 1 || stop == last - 1 && end < 0) return false;
                i = last;
            } else if (gap.startsWith("/*", i)) {
                int end = gap.indexOf("*/", i + 2);
                int nested = gap.indexOf("/*", i + 1);
                if (end < 0 || nested >= 0 && nested < end) return false;
                i = end + 2;
            } else {
                if (gap.charAt(i) > ' ') return false;
                i++;
            }
        }
        return true;
    }
}
