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
    /// @param names those of its words that may be columns; all, for a query
    /// @param columnWords words of the largest column, once subqueries are merged
    /// @param mergedWords words of the whole once they are
    /// @param levels parentheses and definitions within each other
    /// @param path words that stand above each other in the tree: what the compiler's stack grows with
    /// @param usesViews whether it depends on the schema's views
    record Size(
            long words,
            long added,
            long names,
            long columnWords,
            long mergedWords,
            int levels,
            long path,
            boolean usesViews) {}

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
        return size(all, 0);
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

    private Size size(Block block, int level) {
        if (block.size != null) return block.size;
        if (level > MAX_LEVELS) throw tooDeep();
        boolean isNamed = block.isDefinition || block == all;
        block.isUnderWay = true;
        if (isNamed) definitions.push(block);
        try {
            Size size = new Measure(block, level).size();
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

    /// Goes through the words of one block.
    private final class Measure {
        private final Block block;
        private final int level;
        private Clause clause;
        private boolean isTableNext;
        private long all;
        private long own;
        private long added;
        private long names;
        private boolean isQuery;
        private long column;
        private long largestColumn = 1;
        private long innerColumn = 1;
        private long innerPath;
        private int innerLevels;
        private boolean usesViews;

        Measure(Block block, int level) {
            this.block = block;
            this.level = level;
            this.clause = block.isOfTables ? Clause.TABLES : Clause.OTHER;
            this.isTableNext = block.isOfTables;
        }

        Size size() {
            int child = 0;
            for (int i = block.begin; i < block.end; i++) {
                if (is(i, "(")) {
                    Block inner = block.children.get(child++);
                    i = inner.end;
                    inner.isOfTables = clause == Clause.TABLES && isTableNext;
                    isTableNext = false;
                    if (inner.isDefinition) continue;
                    Size size = Expansion.this.size(inner, level + 1);
                    add(size);
                    added = sum(added, size.added);
                    names = sum(names, size.names);
                    column = sum(column, size.names);
                } else {
                    own++;
                    i = word(i);
                }
            }
            endColumn();
            all = sum(all, own);
            return new Size(
                    all,
                    added,
                    isQuery ? all : names,
                    product(largestColumn, innerColumn),
                    product(all, innerColumn),
                    innerLevels + 1,
                    innerPath + 1 + Math.min(own, MAX_DEPTH),
                    usesViews);
        }

        private void use(Size definition) {
            add(definition);
            added = sum(added, definition.words);
        }

        private void add(Size inner) {
            all = sum(all, inner.words);
            innerColumn = Math.max(innerColumn, inner.columnWords);
            innerLevels = Math.max(innerLevels, inner.levels);
            innerPath = Math.max(innerPath, inner.path);
            usesViews |= inner.usesViews;
        }

        /// @return the last word that was looked at
        private int word(int i) {
            String text = Policing.folded(words.get(i).text());
            boolean mayBeTable = isTableNext;
            isTableNext = false;
            switch (text) {
                case "select", "values" -> {
                    isQuery = true;
                    begin(Clause.COLUMNS);
                }
                case "from" -> {
                    if (is(i - 1, "DISTINCT")) return i; // a IS DISTINCT FROM b
                    begin(Clause.TABLES);
                    isTableNext = true;
                }
                case "join", "in", "into" -> isTableNext = true;
                case "update" -> {
                    isTableNext = true;
                    return is(i + 1, "OR") ? i + 2 : i;
                }
                case "," -> {
                    isTableNext = clause == Clause.TABLES;
                    endColumn();
                }
                default -> {
                    if (CLAUSES.contains(text)) begin(Clause.OTHER);
                    else if (mayBeTable) return table(i);
                    else if (isColumn(i, text)) {
                        names++;
                        column++;
                    }
                }
            }
            return i;
        }

        private void begin(Clause next) {
            endColumn();
            clause = next;
        }

        private void endColumn() {
            if (clause == Clause.COLUMNS) largestColumn = Math.max(largestColumn, column);
            column = 0;
        }

        /// @return the last word of the table's name
        private int table(int i) {
            boolean isQualified = is(i + 1, ".") && i + 2 < block.end;
            int last = isQualified ? i + 2 : i;
            String name = name(words.get(last));
            @Nullable Block defined = isQualified ? null : defined(name);
            if (defined != null) {
                use(defined.isUnderWay ? recursive(defined) : Expansion.this.size(defined, level + 1));
                return last;
            }
            views.apply(name).ifPresent(view -> {
                usesViews = true;
                use(view);
            });
            return last;
        }

        private @Nullable Block defined(String name) {
            for (Block outer = block; outer != null; outer = outer.parent) {
                Block defined = outer.definitions.get(name);
                if (defined != null) return defined;
            }
            return null;
        }
    }

    /// Of what is not copied.
    static final Size ONE = new Size(1, 0, 1, 1, 1, 1, 1, false);

    /// One that uses itself is run in a loop, not copied. Where two use each other SQLite refuses the
    /// statement, late.
    private Size recursive(Block defined) {
        if (defined == definitions.peek()) return ONE;
        throw Fault.INVALID_REQUEST.saying("Two common table expressions use each other: circular reference.");
    }

    private boolean isColumn(int i, String folded) {
        char first = folded.charAt(0);
        boolean isName = first == '_'
                || first == '"'
                || first == '`'
                || first == '['
                || first >= 0x80
                || first >= 'a' && first <= 'z';
        return isName && !NO_COLUMNS.contains(folded) && !is(i + 1, "(") && !is(i + 1, ".") && !is(i - 1, "AS");
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

    private static long sum(long a, long b) {
        return Math.min(MANY, a + b);
    }

    private static long product(long a, long b) {
        return Math.min(MANY, a * b);
    }
}
