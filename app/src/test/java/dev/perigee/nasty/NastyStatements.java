package dev.perigee.nasty;

import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Makes statements at random that use SQLite's grammar to double at each level, to be deep, to be wide, or to call
/// functions that take long. A seed gives the same statements again.
///
/// They expect a table `t(id INTEGER PRIMARY KEY, a, b, c)` with some rows, and write to tables that begin with `n`.
public final class NastyStatements {
    private final Random random;
    private int made;

    public NastyStatements(long seed) {
        this.random = new Random(seed);
    }

    public String next() {
        made++;
        return switch (random.nextInt(20)) {
            case 0 -> doublingColumns();
            case 1 -> doublingTables();
            case 2 -> doublingAliases();
            case 3 -> windows();
            case 4 -> aggregates();
            case 5 -> jsonPaths("json_extract", "'{\"a\":' || json_quote(hex(zeroblob(%d))) || '}'");
            case 6 -> "INSERT INTO n0 SELECT " + jsonSet() + " FROM t";
            case 7 -> patterns();
            case 8 -> largeValues();
            case 9 -> endless();
            case 10 -> joins();
            case 11 -> deep();
            case 12 -> wide();
            case 13 -> compound();
            case 14 -> doublingViews();
            case 15 -> computedColumns();
            case 16 -> triggers();
            case 17 -> sort();
            case 18 -> texts();
            default -> nested();
        };
    }

    private int between(int least, int most) {
        return least + random.nextInt(most - least + 1);
    }

    private static String list(int count, IntFunction<String> element) {
        return IntStream.range(0, count).mapToObj(element).collect(Collectors.joining(", "));
    }

    private static String levels(int count, String innermost, IntFunction<String> level) {
        String text = innermost;
        for (int i = 0; i < count; i++) text = level.apply(i).replace("%s", text);
        return text;
    }

    private String doublingColumns() {
        String level = pick(
                "SELECT c+c AS c, d FROM (%s)",
                "SELECT c, d FROM (SELECT c||c AS c, d FROM (%s)) WHERE c > 1",
                "SELECT max(c, c) AS c, d FROM (%s) WHERE c = c",
                "SELECT CASE c WHEN c THEN c ELSE d END AS c, d FROM (%s)");
        return levels(between(8, 30), "SELECT 1 AS c, 2 AS d", _ -> level);
    }

    private String doublingTables() {
        String definition = pick(
                "SELECT 1 AS c FROM ?, ? AS other",
                "SELECT c FROM ? UNION ALL SELECT c FROM ?",
                "SELECT (SELECT c FROM ?) + (SELECT c FROM ?) AS c",
                "SELECT count(*) AS c FROM ? WHERE c IN ?",
                "SELECT c FROM ? WHERE EXISTS (SELECT 1 FROM ? AS o WHERE o.c = 1)");
        int count = between(8, 25);
        return IntStream.rangeClosed(1, count)
                .mapToObj(i -> ", x%d AS (%s)".formatted(i, definition.replace("?", "x" + (i - 1))))
                .collect(Collectors.joining("", "WITH x0 AS (SELECT 1 AS c)", " SELECT * FROM x" + count));
    }

    /// Each use of a result's alias is a copy of its expression.
    public static String aliases(int levels, int uses) {
        return levels(
                levels,
                "1",
                i -> "(SELECT %%s AS a%d WHERE %s)"
                        .formatted(
                                i,
                                IntStream.range(0, uses).mapToObj(_ -> "a" + i).collect(Collectors.joining("+"))));
    }

    private String doublingAliases() {
        return "SELECT " + aliases(between(5, 14), between(2, 5)) + pick("", " ORDER BY 1");
    }

    private String windows() {
        int count = between(5, 60);
        String first = "w0 AS (ORDER BY a, b)";
        String rest = IntStream.range(1, count)
                .mapToObj(i -> ", w%d AS (w%d ROWS 1 PRECEDING)".formatted(i, i - 1))
                .limit(random.nextBoolean() ? 1 : 0)
                .collect(Collectors.joining());
        String calls =
                list(count, i -> "sum(a+%d) OVER (PARTITION BY %s ORDER BY b, c+%d)".formatted(i, "a%" + (i + 1), i));
        return "SELECT %s FROM t WINDOW %s%s".formatted(calls, first, rest);
    }

    /// Many aggregates in one query, in expressions that are not deep.
    public static String manyAggregates(int count) {
        int perColumn = 100;
        return "SELECT %s FROM t GROUP BY b"
                .formatted(list(
                        Math.max(1, count / perColumn),
                        column -> "coalesce(%s)"
                                .formatted(list(perColumn, i -> "sum(a+%d)".formatted(column * perColumn + i)))));
    }

    private String aggregates() {
        int count = between(100, 900);
        return pick(
                manyAggregates(count),
                "SELECT %s FROM t GROUP BY %s"
                        .formatted(list(count, i -> "group_concat(a||%d)".formatted(i)), list(200, i -> "b+" + i)),
                "SELECT count(DISTINCT a), %s FROM t HAVING %s"
                        .formatted(
                                list(count, i -> "min(a+%d)".formatted(i)),
                                IntStream.range(0, count)
                                        .mapToObj(i -> "max(c+%d) > 0".formatted(i))
                                        .collect(Collectors.joining(" AND "))));
    }

    private String jsonPaths(String function, String document) {
        return "SELECT %s(%s, %s) FROM t"
                .formatted(
                        function,
                        document.formatted(between(1000, 2_000_000)),
                        list(between(10, 90), i -> "'$.b" + i + "'"));
    }

    private String jsonSet() {
        return "json_set('[' || replace(hex(zeroblob(%d)), '0', '1,') || '1]', %s)"
                .formatted(between(1000, 500_000), list(between(5, 45), i -> "'$[%d]', %d".formatted(i * 7, i)));
    }

    private String patterns() {
        int size = between(1000, 200_000);
        return pick(
                "SELECT hex(zeroblob(%d)) LIKE '%%' || hex(zeroblob(%d)) || '1'".formatted(size, size / 10),
                "SELECT hex(zeroblob(%d)) GLOB '*%s1'".formatted(size, "*0".repeat(between(10, 1000))),
                "SELECT hex(zeroblob(%d)) LIKE '%s1'".formatted(size, "%0".repeat(between(10, 1000))));
    }

    private String largeValues() {
        int size = between(1_000_000, 30_000_000);
        return pick(
                "SELECT " + list(between(10, 400), i -> "hex(zeroblob(%d)) AS c%d".formatted(size, i)),
                "SELECT group_concat(hex(randomblob(%d))) FROM t, t AS u".formatted(size / 100),
                "CREATE TABLE n%d AS SELECT %s"
                        .formatted(made, list(50, i -> "randomblob(%d) AS c%d".formatted(size, i))),
                "SELECT printf('%%.*c', %d, 'x')".formatted(size));
    }

    private String endless() {
        return pick(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n",
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i+1 FROM n) SELECT max(i) FROM n",
                "WITH RECURSIVE n(i) AS (SELECT 'x' UNION ALL SELECT i||i FROM n) SELECT length(i) FROM n",
                "INSERT INTO n0 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n");
    }

    private String joins() {
        int count = between(5, 62);
        String on = IntStream.range(1, count)
                .mapToObj(i -> "t%d.a = t%d.b".formatted(i, random.nextInt(i)))
                .collect(Collectors.joining(pick(" AND ", " OR ")));
        return "SELECT count(*) FROM %s WHERE %s".formatted(list(count, i -> "t AS t" + i), on);
    }

    private String deep() {
        int depth = between(100, 5000);
        return pick(
                "SELECT " + "(".repeat(depth) + "1" + ")".repeat(depth),
                "SELECT " + "NOT ".repeat(depth) + "1",
                "SELECT " + "-~".repeat(depth) + "1",
                "SELECT " + "abs(".repeat(depth) + "1" + ")".repeat(depth),
                "SELECT " + "1 IN (SELECT ".repeat(depth) + "1" + ")".repeat(depth),
                "SELECT * FROM " + "(SELECT * FROM ".repeat(depth) + "t" + ")".repeat(depth),
                "SELECT " + "CASE WHEN 1 THEN ".repeat(depth) + "1" + " END".repeat(depth));
    }

    private String wide() {
        int count = between(500, 30_000);
        return pick(
                "SELECT a FROM t WHERE "
                        + IntStream.range(0, count).mapToObj(i -> "a = " + i).collect(Collectors.joining(" OR ")),
                "SELECT a FROM t WHERE a IN (" + list(count, i -> "b+" + i) + ")",
                "SELECT a FROM t WHERE (a, b) IN (VALUES " + list(count, i -> "(%d, %d)".formatted(i, i)) + ")",
                "SELECT coalesce(" + list(100, i -> "(SELECT max(b+%d) FROM t)".formatted(i)) + ") FROM t");
    }

    private String compound() {
        String operator = pick(" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT ");
        return IntStream.range(0, between(100, 500))
                        .mapToObj(i -> "SELECT a+%d AS a, b FROM t".formatted(i))
                        .collect(Collectors.joining(operator))
                + " ORDER BY a, b";
    }

    private String doublingViews() {
        int level = random.nextInt(30);
        return level == 0
                ? "CREATE VIEW IF NOT EXISTS nv0 AS SELECT 1 AS c"
                : "CREATE VIEW IF NOT EXISTS nv%d AS SELECT (SELECT c FROM nv%d) + (SELECT c FROM nv%d) AS c"
                        .formatted(level, level - 1, level - 1);
    }

    private String computedColumns() {
        int count = between(5, 60);
        return IntStream.range(1, count)
                .mapToObj(i -> ", a%d AS (a%d + a%d)".formatted(i, i - 1, i - 1))
                .collect(Collectors.joining("", "CREATE TABLE ng%d (a0".formatted(made), ")"));
    }

    private String triggers() {
        int number = random.nextInt(5);
        return "CREATE TRIGGER IF NOT EXISTS nt%d AFTER INSERT ON n%d BEGIN %s END"
                .formatted(
                        number,
                        number,
                        "INSERT INTO n%d SELECT i FROM n%d; "
                                .formatted((number + 1) % 5, number)
                                .repeat(between(1, 20)));
    }

    private String sort() {
        return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 5000000) SELECT hex(randomblob(%d)) AS r FROM n ORDER BY r"
                .formatted(between(10, 200));
    }

    private String texts() {
        int size = between(10_000, 400_000);
        return pick(
                "SELECT instr(hex(zeroblob(%1$d)), hex(zeroblob(%1$d/2)) || '1')".formatted(size),
                "SELECT replace(hex(zeroblob(%1$d)), substr(hex(zeroblob(%1$d)), 1, %1$d/2) || '1', 'x')"
                        .formatted(size),
                "SELECT trim(hex(zeroblob(%1$d)), '1' || hex(randomblob(%1$d)))".formatted(size),
                "SELECT upper(lower(upper(hex(zeroblob(%d))))) FROM t".formatted(size * 10));
    }

    private String nested() {
        return levels(
                between(3, 14),
                "SELECT a AS c FROM t",
                _ -> pick(
                        "SELECT c FROM (%s) WHERE c IN (SELECT a FROM t)",
                        "SELECT c FROM (%s) UNION SELECT b FROM t",
                        "SELECT count(*) OVER (ORDER BY c) AS c FROM (%s)",
                        "SELECT (SELECT max(c) FROM (%s)) AS c FROM t",
                        "SELECT c+c AS c FROM (%s) GROUP BY c",
                        "SELECT o.c FROM (%s) AS o LEFT JOIN t ON t.a = o.c"));
    }

    private String pick(String... choices) {
        return List.of(choices).get(random.nextInt(choices.length));
    }
}
