package dev.perigee.bundled.macros;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.query.sql.SqlWords.Word;
import dev.perigee.source.SourceColumn;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Expands `SELECT $_exclude(password, ssn) FROM users` to a SELECT of all columns of `users` but these two.
///
/// The columns come from the first table after the macro's FROM, on the replica or the external database. With an alias
/// or a join they are qualified with the table. An unknown column is refused with 400.
public final class SqlMacrosPlugin extends StarbasePlugin {
    private static final String MACRO = "$_exclude";
    private static final Duration LIMIT = Duration.ofSeconds(5);

    private @Nullable PluginHost host;

    public SqlMacrosPlugin() {
        super("starbasedb:sql-macros", true, "");
    }

    @Override
    public void register(PluginHost given) {
        host = given;
    }

    @Override
    public boolean mayWait(StatementCall call) {
        return hasMacro(call.sql());
    }

    private static boolean hasMacro(String sql) {
        return sql.indexOf('$') >= 0 && sql.toLowerCase(Locale.ROOT).contains(MACRO);
    }

    @Override
    public StatementCall beforeQuery(StatementCall call) {
        if (!hasMacro(call.sql())) return call;
        String sql = expanded(call.sql(), call.where());
        return new StatementCall(sql, call.positional(), call.named(), call.where(), call.caller(), call.isRaw());
    }

    private String expanded(String sql, Where where) {
        List<Word> words = SqlWords.withMacros(sql);
        StringBuilder changed = new StringBuilder();
        int from = 0;
        for (int i = 0; i < words.size(); i++) {
            if (!words.get(i).is(MACRO)) continue;
            int end = i + 1;
            if (end >= words.size() || !words.get(end).is("(")) throw malformed();
            Set<String> excluded = new HashSet<>();
            for (end++; end < words.size() && !words.get(end).is(")"); end++) {
                if (!words.get(end).is(","))
                    excluded.add(
                            SqlNames.folded(SqlNames.unquoted(words.get(end).text())));
            }
            if (end >= words.size() || excluded.isEmpty()) throw malformed();
            changed.append(sql, from, words.get(i).start()).append(columns(words, end + 1, excluded, where));
            from = words.get(end).end();
            i = end;
        }
        return changed.append(sql, from, sql.length()).toString();
    }

    /// @param after the index of the word after the macro
    private String columns(List<Word> words, int after, Set<String> excluded, Where where) {
        int at = from(words, after) + 1;
        if (at >= words.size() || words.get(at).is("(")) throw malformed();
        String table = words.get(at).text();
        if (at + 2 < words.size() && words.get(at + 1).is(".")) {
            table = where == Where.EXTERNAL
                    ? table + "." + words.get(at + 2).text()
                    : words.get(at + 2).text();
            at += 2;
        }
        String prefix = prefix(words, at);
        List<String> columns = where == Where.EXTERNAL ? external(table) : internal(SqlNames.unquoted(table));
        if (columns.isEmpty()) throw Fault.INVALID_REQUEST.saying("%s: there is no table %s.".formatted(MACRO, table));
        for (String name : excluded) {
            if (columns.stream().noneMatch(column -> SqlNames.folded(column).equals(name))) {
                throw Fault.INVALID_REQUEST.saying(
                        "%s: the table %s has no column \"%s\".".formatted(MACRO, table, name));
            }
        }
        List<String> left = columns.stream()
                .filter(column -> !excluded.contains(SqlNames.folded(column)))
                .toList();
        if (left.isEmpty()) throw Fault.INVALID_REQUEST.saying("%s leaves no column of %s.".formatted(MACRO, table));
        return left.stream().map(column -> prefix + SqlNames.quoted(column)).collect(Collectors.joining(", "));
    }

    /// The index of the FROM of the macro's own SELECT. Parentheses that open after the macro are skipped.
    private static int from(List<Word> words, int after) {
        int depth = 0;
        for (int i = after; i < words.size(); i++) {
            Word word = words.get(i);
            if (word.is("(")) depth++;
            if (word.is(")") && --depth < 0) break;
            if (depth == 0 && word.is("FROM")) return i;
        }
        throw malformed();
    }

    /// What qualifies the columns, with its dot: the alias of the table at `at`, or the table's name if others are
    /// joined to it. Empty if the table stands alone.
    private static String prefix(List<Word> words, int at) {
        if (at + 1 >= words.size()) return "";
        Word next = words.get(at + 1);
        if (next.is("AS") && at + 2 < words.size()) return words.get(at + 2).text() + ".";
        if (next.is(",") || JOINS.contains(next.text().toUpperCase(Locale.ROOT)))
            return words.get(at).text() + ".";
        boolean isName = Character.isLetter(next.text().charAt(0))
                || "\"`[_".indexOf(next.text().charAt(0)) >= 0;
        return isName && !AFTER_TABLE.contains(next.text().toUpperCase(Locale.ROOT)) ? next.text() + "." : "";
    }

    private static final Set<String> JOINS = Set.of("JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL");
    private static final Set<String> AFTER_TABLE = Set.of(
            "WHERE",
            "GROUP",
            "ORDER",
            "LIMIT",
            "HAVING",
            "UNION",
            "EXCEPT",
            "INTERSECT",
            "WINDOW",
            "OFFSET",
            "FETCH",
            "FOR",
            "INDEXED",
            "NOT",
            "ON",
            "USING");

    private List<String> internal(String table) {
        return host().store().read(LIMIT, transaction -> {
            List<String> columns = new ArrayList<>();
            SqliteStatement select = transaction
                    .statement("SELECT name FROM pragma_table_info(?1)")
                    .bindText(1, table);
            while (select.step()) columns.add(String.valueOf(select.textAt(0)));
            return columns;
        });
    }

    private List<String> external(String table) {
        return host().source()
                .map(source -> source.describe(table).columns().stream()
                        .map(SourceColumn::name)
                        .toList())
                .orElse(List.of());
    }

    private PluginHost host() {
        if (host == null) throw new IllegalStateException("the plugin is not registered");
        return host;
    }

    private static RuntimeException malformed() {
        return Fault.INVALID_REQUEST.saying(
                "%s must be in a SELECT from a table, as in: SELECT %s(password) FROM users".formatted(MACRO, MACRO));
    }
}
