package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.SqlWords.Word;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// How large SQLite's compiler may make a statement, found from its text before the compiler sees it:
/// nothing
/// interrupts that one, nor bounds its memory or its stack.
///
/// Each use of a view or common table expression is a copy of it, and where a subquery is merged into the
/// query
/// around it ([flattening](https://sqlite.org/optoverview.html#flattening)) each use of one of its columns
/// is a copy
/// of that column's expression. Both multiply with every level: 25 levels that name a column twice each
/// are 700
/// characters, and 46 seconds and gigabytes to compile.
///
/// The numbers are upper bounds. For one thread.
final class Expansion {
    /// @param words of the text, with every use of a view or common table expression replaced by its text
    /// @param added how many of them are there by such a use
    /// @param merged words of the whole once subqueries are merged, and conditions copied into them
    /// @param queries `SELECT`s and `VALUES` in it
    /// @param levels parentheses and definitions within each other
    /// @param path words that stand above each other in the tree: what the compiler's stack grows with
    /// @param usesViews whether it depends on the schema's views
    /// @param columns of its result
    record Size(
            long words,
            long added,
            long merged,
            long queries,
            int levels,
            long path,
            boolean usesViews,
            ResultColumns columns) {}

    /// Parentheses and definitions within each other.
    static final int MAX_LEVELS = 1000;

    /// Parentheses in one text.
    private static final int MAX_BLOCKS = 100_000;

    /// An expression deeper than this is refused by SQLite.
    private static final int MAX_DEPTH = 1000;

    private static final long MANY = 1_000_000_000;

    private static final Set<String> CLAUSES = Set.of(
            "where", "group", "having", "order", "limit", "union", "intersect", "except", "set", "returning", ";");

    /// Words that SQLite takes for no name, of those that stand in expressions.
    private static final Set<String> NO_COLUMNS = Set.of(
            "all",
            "and",
            "as",
            "between",
            "case",
            "collate",
            "distinct",
            "else",
            "escape",
            "exists",
            "in",
            "is",
            "isnull",
            "not",
            "notnull",
            "null",
            "or",
            "then",
            "when");

    private enum Clause {
        COLUMNS,
        TABLES,
        OTHER
    }

    /// What stands between two parentheses; the whole text, too.
    private static final class Block {
        final @Nullable Block parent;
        final int begin;
        final int end;
        final List<Block> children = new ArrayList<>(0);
        final Map<String, Block> definitions = new HashMap<>(0);
        boolean isDefinition;
        boolean hasColumnList;
        boolean isUnderWay;

        /// Whether it begins where a table may stand.
        boolean isOfTables;

        @Nullable
        Size size;

        Block(@Nullable Block parent, int begin, int end) {
            this.parent = parent;
            this.begin = begin;
            this.end = end;
        }
    }

    private final List<Word> words;
    private final Function<String, Optional<Size>> views;
    private final Block all;
    private final Deque<Block> definitions = new ArrayDeque<>();

    /// @param views how large the view of a name is, whose letters `A` to `Z` are small
    /// @throws PerigeeException [Fault#TOO_LARGE] with too many parentheses
    Expansion(String sql, Function<String, Optional<Size>> views) {
        this.words = SqlWords.of(sql);
        this.views = views;
        this.all = blocks();
    }

    /// @throws PerigeeException [Fault#TOO_LARGE] past [#MAX_LEVELS]
    Size size() {
        return size(all, 0, null);
    }

    /// Words that are this keyword.
    int count(String keyword) {
        return (int) words.stream().filter(word -> word.is(keyword)).count();
    }

    private Block blocks() {
        int[] closing = closing();
        Map<Integer, Integer> names = definitions(closing);
        Block root = new Block(null, 0, words.size());
        Block block = root;
        for (int i = 0; i < words.size(); i++) {
            while (i == block.end && block.parent != null) block = block.parent;
            if (!is(i, "(")) continue;
            Block inner = new Block(block, i + 1, closing[i]);
            Integer name = names.get(i);
            if (name != null) {
                inner.isDefinition = true;
                inner.hasColumnList = is(name + 1, "(");
                block.definitions.put(name(words.get(name)), inner);
            }
            block.children.add(inner);
            block = inner;
        }
        return root;
    }

    /// For each `(` where its `)` is, or where the text ends.
    private int[] closing() {
        int[] closing = new int[words.size()];
        ArrayDeque<Integer> open = new ArrayDeque<>();
        int count = 0;
        for (int i = 0; i < words.size(); i++) {
            if (is(i, ")") && !open.isEmpty()) closing[open.pop()] = i;
            if (!is(i, "(")) continue;
            open.push(i);
            if (++count > MAX_BLOCKS) {
                throw Fault.TOO_LARGE.saying(
                        "A statement with subqueries has at most %d parentheses.".formatted(MAX_BLOCKS));
            }
        }
        for (int left : open) closing[left] = words.size();
        return closing;
    }

    /// For each `(` that begins what a `WITH` defines, where the name is.
    private Map<Integer, Integer> definitions(int[] closing) {
        Map<Integer, Integer> names = new HashMap<>();
        for (int with = 0; with < words.size(); with++) {
            if (!is(with, "WITH")) continue;
            int i = with + 1;
            if (is(i, "RECURSIVE") && !is(i + 1, "AS") && !is(i + 1, "(")) i++;
            while (i < words.size()) {
                int name = i++;
                if (is(i, "(")) i = closing[i] + 1;
                if (!is(i++, "AS")) break;
                if (is(i, "NOT")) i++;
                if (is(i, "MATERIALIZED")) i++;
                if (!is(i, "(")) break;
                names.put(i, name);
                i = closing[i] + 1;
                if (!is(i++, ",")) break;
            }
        }
        return names;
    }

    private Size size(Block block, int level, @Nullable Outer outer) {
        if (block.size != null) return block.size;
        if (level > MAX_LEVELS) throw tooDeep();
        boolean isNamed = block.isDefinition || block == all;
        block.isUnderWay = true;
        if (isNamed) definitions.push(block);
        try {
            Size size = new Measure(block, level, outer).size();
            block.size = size;
            return size;
        } finally {
            if (isNamed) definitions.pop();
            block.isUnderWay = false;
        }
    }

    static PerigeeException tooDeep() {
        return Fault.TOO_LARGE.saying(
                "The statement has more than %d subqueries, views or parentheses within each other."
                        .formatted(MAX_LEVELS));
    }

    /// What the queries around a block select from, of which its columns may be.
    private record Outer(
            List<ResultColumns> sources, @Nullable Outer next) {}

    /// Goes through the words of one block: first to its tables, then to the columns, which may be theirs.
    private final class Measure {
        private final Block block;
        private final int level;
        private final @Nullable Outer outer;
        private final List<ResultColumns> sources = new ArrayList<>(2);
        private boolean isSecond;
        private Clause clause = Clause.OTHER;
        private boolean isTableNext;
        private int queriesHere;

        private long all;
        private long added;
        private long flat;
        private long conditions;
        private long queries;
        private long sourcesMerged;
        private long sourcesQueries;
        private long innerPath;
        private int innerLevels;
        private boolean usesViews;

        private int columnBegin;
        private long column;
        private long largestColumn = 1;
        private boolean hasStar;
        private boolean hasColumnList;
        private final Map<String, Long> named = new HashMap<>(0);
        private long others;

        Measure(Block block, int level, @Nullable Outer outer) {
            this.block = block;
            this.level = level;
            this.outer = outer;
        }

        Size size() {
            long own = scan();
            isSecond = true;
            scan();
            all = sum(all, own);
            flat = sum(flat, own);
            // A condition may be copied into each query that it is put on top of.
            long merged = sum(sum(flat, sourcesMerged), product(sourcesQueries, conditions));
            return new Size(
                    all,
                    added,
                    merged,
                    sum(queries, queriesHere),
                    innerLevels + 1,
                    innerPath + 1 + Math.min(own, MAX_DEPTH),
                    usesViews,
                    columns());
        }

        private ResultColumns columns() {
            if (queriesHere == 0) return block.isOfTables ? ResultColumns.all(sources) : ResultColumns.PLAIN;
            ResultColumns own = new ResultColumns(named, others);
            if (hasStar) {
                List<ResultColumns> both = new ArrayList<>(sources);
                both.add(own);
                own = ResultColumns.all(both);
            }
            // They have the names of the list, or of the first query of several.
            return hasColumnList || block.hasColumnList || queriesHere > 1
                    ? ResultColumns.of(own.largest())
                    : own.bounded();
        }

        /// @return words that stand in the block itself
        private long scan() {
            clause = block.isOfTables ? Clause.TABLES : Clause.OTHER;
            isTableNext = block.isOfTables;
            queriesHere = 0;
            long own = 0;
            int child = 0;
            for (int i = block.begin; i < block.end; i++) {
                if (!is(i, "(")) {
                    own++;
                    i = word(i);
                    continue;
                }
                Block inner = block.children.get(child++);
                boolean isTable = clause == Clause.TABLES && isTableNext && !is(i - 1, "IN");
                isTableNext = false;
                i = inner.end;
                if (inner.isDefinition) continue;
                inner.isOfTables = isTable;
                if (isTable && !isSecond) from(Expansion.this.size(inner, level + 1, outer));
                if (!isTable && isSecond) within(Expansion.this.size(inner, level + 1, inside()));
            }
            endColumn(block.end);
            return own;
        }

        private @Nullable Outer inside() {
            return sources.stream().allMatch(ResultColumns::isPlain) ? outer : new Outer(sources, outer);
        }

        /// What is selected from.
        private void from(Size source) {
            add(source);
            added = sum(added, source.added);
            sourcesMerged = sum(sourcesMerged, source.merged);
            sourcesQueries = sum(sourcesQueries, source.queries);
            sources.add(source.columns);
        }

        /// A part of an expression.
        private void within(Size part) {
            add(part);
            added = sum(added, part.added);
            count(part.merged);
            if (queriesHere == 0 && block == Expansion.this.all) hasColumnList = true;
        }

        private void add(Size inner) {
            all = sum(all, inner.words);
            queries = sum(queries, inner.queries);
            innerLevels = Math.max(innerLevels, inner.levels);
            innerPath = Math.max(innerPath, inner.path);
            usesViews |= inner.usesViews;
        }

        private void count(long words) {
            flat = sum(flat, words);
            if (clause == Clause.COLUMNS) column = sum(column, words);
            else conditions = sum(conditions, words);
        }

        /// @return the last word that was looked at
        private int word(int i) {
            String text = Policing.folded(words.get(i).text());
            boolean mayBeTable = isTableNext;
            isTableNext = false;
            switch (text) {
                case "select", "values" -> {
                    queriesHere++;
                    begin(Clause.COLUMNS, i);
                }
                case "from" -> {
                    if (is(i - 1, "DISTINCT")) return i; // a IS DISTINCT FROM b
                    begin(Clause.TABLES, i);
                    isTableNext = true;
                }
                case "join", "in", "into" -> isTableNext = true;
                case "update" -> {
                    isTableNext = true;
                    return is(i + 1, "OR") && !is(i + 2, "(") ? i + 2 : i;
                }
                case "," -> {
                    isTableNext = clause == Clause.TABLES;
                    endColumn(i);
                    columnBegin = i + 1;
                }
                default -> {
                    if (CLAUSES.contains(text)) begin(Clause.OTHER, i);
                    else if (mayBeTable) return table(i);
                    else if (isSecond) inExpression(i, text);
                }
            }
            return i;
        }

        private void begin(Clause next, int i) {
            endColumn(i);
            clause = next;
            columnBegin = i + 1;
        }

        private void inExpression(int i, String text) {
            if (isColumn(i, text)) {
                count(words(i));
                return;
            }
            // A number in ORDER BY or GROUP BY means a column of the result.
            boolean mayMeanColumn = clause == Clause.OTHER && (is(i - 1, "BY") || is(i - 1, ","));
            if (mayMeanColumn && Character.isDigit(text.charAt(0))) count(largestColumn);
        }

        /// What the column named by this word becomes.
        private long words(int i) {
            String name = name(words.get(i));
            long most = clause == Clause.COLUMNS ? 1 : named.getOrDefault(name, 1L);
            boolean isQualified = is(i - 1, ".");
            most = Math.max(most, words(sources, name, isQualified));
            for (Outer around = outer; around != null; around = around.next) {
                most = Math.max(most, words(around.sources, name, isQualified));
            }
            return most;
        }

        /// Without a table's name it may be the first that is not NULL of several, after USING.
        private static long words(List<ResultColumns> sources, String name, boolean isQualified) {
            long words = 0;
            for (ResultColumns source : sources) {
                if (source.isPlain()) continue;
                long here = source.words(name);
                words = isQualified ? Math.max(words, here) : sum(words, here);
            }
            return words;
        }

        private void endColumn(int end) {
            boolean isColumn = isSecond && clause == Clause.COLUMNS && end > columnBegin;
            if (isColumn) column(end);
            column = 0;
        }

        private void column(int end) {
            int begin = columnBegin;
            while (is(begin, "DISTINCT") || is(begin, "ALL")) begin++;
            long size = Math.max(1, column);
            if (is(end - 1, "*") && (end - begin == 1 || is(end - 2, "."))) {
                hasStar = true;
                return;
            }
            largestColumn = Math.max(largestColumn, size);
            boolean isNamed = is(end - 2, "AS") && end - 2 > begin;
            boolean isName = end - begin == 1 || is(end - 2, ".");
            String last = Policing.folded(words.get(end - 1).text());
            if (isNamed || mayBeName(last)) named.merge(name(words.get(end - 1)), size, Expansion::sum);
            // SQLite calls it by its text, or by the column that it begins with.
            if (!isNamed && !(isName && mayBeName(last))) others = Math.max(others, size);
        }

        /// @return the last word of the table's name
        private int table(int i) {
            boolean isQualified = is(i + 1, ".") && i + 2 < block.end && !is(i + 2, "(");
            int last = isQualified ? i + 2 : i;
            if (isSecond) return last;
            String name = name(words.get(last));
            @Nullable Block defined = isQualified ? null : defined(name);
            if (defined != null) {
                use(defined.isUnderWay ? recursive(defined) : Expansion.this.size(defined, level + 1, outer));
                return last;
            }
            views.apply(name).ifPresent(view -> {
                usesViews = true;
                use(view);
            });
            return last;
        }

        private void use(Size definition) {
            from(definition);
            added = sum(added, definition.words - definition.added);
        }

        private @Nullable Block defined(String name) {
            for (Block outside = block; outside != null; outside = outside.parent) {
                Block defined = outside.definitions.get(name);
                if (defined != null) return defined;
            }
            return null;
        }
    }

    /// Of what is not copied.
    static final Size ONE = new Size(1, 0, 1, 1, 1, 1, false, ResultColumns.PLAIN);

    /// One that uses itself is run in a loop, not copied. Where two use each other SQLite refuses the
    /// statement, late.
    private Size recursive(Block defined) {
        if (defined == definitions.peek()) return ONE;
        throw Fault.INVALID_REQUEST.saying("Two common table expressions use each other: circular reference.");
    }

    private boolean isColumn(int i, String folded) {
        return mayBeName(folded) && !is(i + 1, "(") && !is(i + 1, ".") && !is(i - 1, "AS");
    }

    private static boolean mayBeName(String folded) {
        char first = folded.charAt(0);
        boolean isName = first == '_'
                || first == '"'
                || first == '`'
                || first == '['
                || first >= 0x80
                || first >= 'a' && first <= 'z';
        return isName && !NO_COLUMNS.contains(folded);
    }

    private boolean is(int i, String text) {
        return i >= 0 && i < words.size() && words.get(i).is(text);
    }

    private static String name(Word word) {
        String text = word.text();
        char first = text.charAt(0);
        char last = first == '[' ? ']' : first;
        boolean isQuoted = "\"'`[".indexOf(first) >= 0 && text.length() > 1 && text.charAt(text.length() - 1) == last;
        if (!isQuoted) return Policing.folded(text);
        String inner = text.substring(1, text.length() - 1);
        return Policing.folded(first == '[' ? inner : inner.replace("" + first + first, "" + first));
    }

    static long sum(long a, long b) {
        return Math.min(MANY, a + b);
    }

    private static long product(long a, long b) {
        return Math.min(MANY, a * b);
    }
}
