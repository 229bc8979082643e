package dev.perigee.bundled.cdc;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.fault.PerigeeException;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.query.sql.SqlWords.Word;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// How rows of a table can conflict: by its primary key and its unique indexes.
///
/// @param conflicts one SQL condition for each key or index, for use in a trigger: the row `t` conflicts with `NEW`
/// @param columns the columns of the unique indexes. A key of one column is left out, because SQLite may assign its
///     value only when the row is written
record UniqueKeys(List<String> conflicts, Set<String> columns) {
    /// @param part as written in the index, a name or an expression
    /// @param columns the names of all columns
    /// @param key the column of the primary key, if it has just one
    static UniqueKeys of(Transaction tx, String table, List<String> columns, Optional<String> key) {
        UniqueKeys keys = new UniqueKeys(new ArrayList<>(), new LinkedHashSet<>());
        // Before a row without a given number is written, SQLite shows -1 as its number.
        key.map(SqlNames::quoted)
                .ifPresent(
                        name -> keys.conflicts.add("(t.%s = NEW.%s AND NEW.%s IS NOT -1)".formatted(name, name, name)));
        SqliteStatement list = tx.statement(
                        "SELECT i.name, s.sql FROM pragma_index_list(?1, 'main') AS i"
                                + " LEFT JOIN main.sqlite_schema AS s ON s.type = 'index' AND s.name = i.name WHERE i.\"unique\" = 1")
                .bindText(1, table);
        List<String> names = new ArrayList<>();
        List<Optional<String>> texts = new ArrayList<>();
        while (list.step()) {
            names.add(String.valueOf(list.textAt(0)));
            texts.add(Optional.ofNullable(list.textAt(1)));
        }
        for (int i = 0; i < names.size(); i++) keys.add(tx, table, names.get(i), texts.get(i), columns);
        key.ifPresent(keys.columns::remove);
        return keys;
    }

    private void add(Transaction tx, String table, String index, Optional<String> sql, List<String> all) {
        List<Optional<String>> names = new ArrayList<>();
        List<String> collations = new ArrayList<>();
        SqliteStatement parts = tx.statement(
                        "SELECT name, coll FROM pragma_index_xinfo(?1, 'main') WHERE key = 1 ORDER BY seqno")
                .bindText(1, index);
        while (parts.step()) {
            names.add(Optional.ofNullable(parts.textAt(0)));
            collations.add(quoted(String.valueOf(parts.textAt(1))));
        }
        Definition definition = sql.map(Definition::of).orElse(Definition.NONE);
        List<String> terms = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            Optional<String> name = names.get(i).map(SqlNames::quoted);
            if (name.isEmpty() && definition.parts.size() != names.size()) return;
            String ofNew = name.isPresent() ? "NEW." + name.get() : ofNew(definition.parts.get(i), all);
            String there = name.isPresent() ? "t." + name.get() : "(" + definition.parts.get(i) + ")";
            terms.add("%s = %s COLLATE %s".formatted(there, ofNew, collations.get(i)));
            names.get(i).ifPresent(columns::add);
        }
        definition.condition.ifPresent(condition -> {
            terms.add("(" + condition + ")");
            terms.add(ofNew(condition, all));
        });
        String conflict = "(" + String.join(" AND ", terms) + ")";
        if (isUnderstood(tx, table, conflict)) conflicts.add(conflict);
    }

    /// An expression over the new row. A subquery of one row gives the columns their plain names, as the expression
    /// uses them.
    private static String ofNew(String expression, List<String> columns) {
        String row = columns.stream()
                .map(column -> "NEW.%1$s AS %1$s".formatted(quoted(column)))
                .collect(Collectors.joining(", "));
        return "(SELECT %s FROM (SELECT %s))".formatted(expression, row);
    }

    /// Whether SQLite accepts the condition. It compiles a trigger only when it fires, and then a mistake would fail
    /// every write.
    private static boolean isUnderstood(Transaction tx, String table, String conflict) {
        String select = "SELECT (SELECT 1 FROM main.%1$s AS t WHERE %2$s) FROM main.%1$s AS new"
                .formatted(quoted(table), conflict);
        try (SqliteStatement _ = tx.connection().prepare(select)) {
            return true;
        } catch (PerigeeException _) {
            return false;
        }
    }

    /// What the SQL of an index says.
    private record Definition(List<String> parts, Optional<String> condition) {
        static final Definition NONE = new Definition(List.of(), Optional.empty());

        /// `CREATE UNIQUE INDEX name ON table (part, …) WHERE condition`
        static Definition of(String sql) {
            List<Word> words = SqlWords.of(sql);
            List<String> parts = new ArrayList<>();
            int depth = 0;
            int from = 0;
            for (int i = 0; i < words.size(); i++) {
                Word word = words.get(i);
                boolean isEnd = word.is(")") && depth == 1;
                if (word.is("(") && depth++ == 0) from = i + 1;
                if (isEnd || word.is(",") && depth == 1) {
                    int to = words.get(i - 1).is("ASC") || words.get(i - 1).is("DESC") ? i - 1 : i;
                    parts.add(sql.substring(
                            words.get(from).start(), words.get(to - 1).end()));
                    from = i + 1;
                }
                if (word.is(")")) depth--;
                if (!isEnd) continue;
                boolean hasCondition = i + 1 < words.size() && words.get(i + 1).is("WHERE");
                return new Definition(
                        parts,
                        hasCondition
                                ? Optional.of(sql.substring(
                                        words.get(i + 2).start(),
                                        words.getLast().end()))
                                : Optional.empty());
            }
            return NONE;
        }
    }
}
