package dev.perigee.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.Expansion.Size;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExpansionTest {
    private static final Map<String, Size> VIEWS =
            Map.of("big", new Size(1000, 0, 1000, 1, 3, 20, true, ResultColumns.PLAIN));

    private static Size size(String sql) {
        return new Expansion(sql, name -> Optional.ofNullable(VIEWS.get(name))).size();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM big",
                "SELECT * FROM t, Big b",
                "SELECT * FROM t LEFT JOIN \"big\" ON 1",
                "SELECT * FROM (t JOIN [big] USING (a))",
                "SELECT * FROM ((t, `big`))",
                "SELECT * FROM main.BIG AS b",
                "SELECT a IN big FROM t",
                "SELECT * FROM t AS with, big",
                "SELECT * FROM t window, big",
                "SELECT * FROM t AS \"where\", big",
                "SELECT * FROM t AS lımıt, big",
                "SELECT a IS NOT DISTINCT FROM b, c FROM t, 'big'",
                "SELECT a FROM t WINDOW w AS (PARTITION BY (SELECT 1 FROM big))",
                "SELECT a FROM t ORDER BY (SELECT 1 FROM/**/big)",
                "DELETE FROM big WHERE a = 1",
                "UPDATE OR REPLACE big SET a = 1",
                "INSERT OR IGNORE INTO big VALUES (1)",
                "WITH big2 AS NOT MATERIALIZED (SELECT 1 FROM big) SELECT * FROM big2",
                "WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x), y AS (SELECT 1 FROM big) SELECT * FROM y"
            })
    void a_view_is_found_wherever_a_table_may_stand(String sql) {
        assertThat(size(sql).added()).as(sql).isGreaterThanOrEqualTo(1000);
        assertThat(size(sql).usesViews()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT big FROM t",
                "SELECT 1 AS big, big.a FROM t AS x WHERE big = 'big'",
                "SELECT a FROM t, (SELECT big, other FROM s)",
                "WITH big AS (SELECT 1) SELECT * FROM t",
                "SELECT f(a, big) FROM t ORDER BY a, big",
                "SELECT t.big FROM t -- FROM big"
            })
    void a_column_of_the_same_name_is_none(String sql) {
        assertThat(size(sql).added()).as(sql).isZero();
        assertThat(size(sql).usesViews()).isFalse();
    }

    @Test
    void a_name_means_the_innermost_definition() {
        Size shadowed = size("WITH big AS (SELECT 1 AS c) SELECT * FROM big, big AS other");
        assertThat(shadowed.added()).isEqualTo(8);
        assertThat(shadowed.usesViews()).isFalse();
        String nested =
                "WITH a AS (WITH a AS (WITH a AS (SELECT 1) SELECT * FROM a, a) SELECT * FROM a, a) SELECT * FROM a, a";
        assertThat(size(nested).added()).isGreaterThan(8 * 2);
    }

    @Test
    void a_definition_that_uses_itself_counts_once_and_two_that_use_each_other_are_refused() {
        assertThat(size("WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n")
                        .added())
                .isLessThan(20);
        assertThatThrownBy(() -> size("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a"))
                .isInstanceOf(PerigeeException.class)
                .hasMessageContaining("circular");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT c + c AS c FROM (%s)",
                "SELECT c + c c FROM (%s)",
                "SELECT \"c\" + [C] AS `c` FROM ((%s) AS x)",
                "SELECT c + c AS 'c' FROM (%s)",
                "SELECT x.c + x.c AS c FROM (SELECT * FROM (%s)) AS x",
                "SELECT c + c AS c FROM (SELECT (c) FROM (%s))",
                "SELECT c + c AS c FROM (SELECT c COLLATE nocase FROM (%s))",
                "SELECT \"c + c\" AS c FROM (SELECT c + c FROM (%s))",
                "SELECT \"c:1\" AS c FROM (SELECT 1 AS c, c + c AS c FROM (%s))",
                "SELECT column1 AS c FROM (VALUES ((SELECT c + c FROM (%s))))",
                "SELECT c + c AS c FROM (SELECT 1 AS c UNION ALL SELECT d FROM (SELECT c AS d FROM (%s)))",
                "WITH x (c) AS (SELECT d + d FROM (SELECT c AS d FROM (%s))) SELECT c FROM x",
                "SELECT c FROM (SELECT c FROM (%s)) WHERE c + c",
                "SELECT c AS c FROM t JOIN (SELECT c + c AS c FROM (%s)) USING (c)",
                "SELECT (SELECT c + c) AS c FROM (%s)",
                "SELECT (SELECT max(a.c + a.c) FROM t WHERE t.x = a.c) AS c FROM (%s) AS a",
                "SELECT c FROM t JOIN (SELECT c FROM (%s)) ON t.x IN (SELECT c + c)",
                "SELECT c AS c FROM (SELECT c + c AS c, d FROM (%s) GROUP BY 1, 2)"
            })
    void columns_that_are_named_twice_at_each_level_grow_with_its_power(String level) {
        boolean isCondition = level.contains("WHERE c") || level.contains(" ON ");
        long small = merged(level, 8);
        long large = merged(level, 16);
        // Conditions do not go on into the next level; they are copied into each below.
        assertThat(large).as(level).isGreaterThan(isCondition ? 2 * small : 100 * small);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT a, b FROM (%s) WHERE a > 1 AND b > 2",
                "SELECT * FROM (%s) AS x WHERE x.a > 1 AND x.b < 3 ORDER BY x.a LIMIT 10",
                "SELECT a, b, CASE WHEN a > 1 AND b > 2 THEN 'x' ELSE kind END AS kind FROM (%s)",
                "SELECT round(coalesce(sum(total), 0) / count(*), 2) AS total, kind FROM (%s) GROUP BY kind",
                "SELECT x.a, y.name AS b, x.a || y.name AS label FROM (%s) AS x LEFT JOIN names AS y ON y.id = x.a"
            })
    void ordinary_steps_grow_little(String level) {
        assertThat(merged(level, 20)).as(level).isLessThan(SchemaSize.MAX_MERGED_WORDS / 50);
    }

    private static long merged(String level, int count) {
        String sql = "t";
        for (int i = 0; i < count; i++) sql = level.formatted(sql);
        return size(sql).merged();
    }

    /// What analysts write: ten steps that each build on the one before, with sums and cases.
    @Test
    void a_pipeline_of_ten_steps_is_far_from_every_limit() {
        String steps = IntStream.rangeClosed(1, 10)
                .mapToObj(i -> """
                        s%d AS (
                          SELECT id, region, day, total, CASE WHEN total > 100 THEN 'large' ELSE kind END AS kind
                          FROM s%d LEFT JOIN regions AS r ON r.id = region
                          WHERE day >= '2026-01-01' AND total IS NOT NULL)""".formatted(i, i - 1))
                .collect(Collectors.joining(",\n", "WITH s0 AS (SELECT * FROM orders),\n", ""));
        Size size = size(steps + " SELECT region, kind, sum(total) FROM s10 GROUP BY 1, 2 ORDER BY 3 DESC LIMIT 10");
        assertThat(size.added()).isLessThan(SchemaSize.MAX_WORDS / 20);
        assertThat(size.path()).isLessThan(SchemaSize.MAX_PATH / 20);
        assertThat(size.levels()).isLessThan(20);
        assertThat(size.merged()).isLessThan(SchemaSize.MAX_MERGED_WORDS / 20);
    }

    @Test
    void text_that_ends_in_the_middle_and_stray_parentheses_are_taken_as_they_are() {
        for (String sql :
                new String[] {"", "(", ")", "SELECT (", "WITH", "WITH a", "WITH a AS", "WITH a AS (", "))((", ")SELECT"
                }) {
            assertThat(size(sql).levels()).as(sql).isPositive();
        }
        assertThatThrownBy(() -> size("(".repeat(2000))).hasMessageContaining("within each other");
        assertThatThrownBy(() -> size("()".repeat(200_000))).hasMessageContaining("parentheses");
    }

    @Test
    void no_text_whatever_is_more_than_refused() {
        List<String> words = List.of(
                "SELECT",
                "FROM",
                "(",
                ")",
                "(",
                ")",
                ",",
                ".",
                "a",
                "b",
                "\"a\"",
                "'",
                "WITH",
                "AS",
                "a AS (",
                "UPDATE",
                "OR",
                "IN",
                "JOIN",
                "VALUES",
                "DISTINCT",
                "WHERE",
                "GROUP BY",
                "1",
                "*",
                "UNION",
                ";",
                "RECURSIVE",
                "NOT",
                "MATERIALIZED",
                "INTO",
                "[",
                "]",
                "`",
                "--",
                "\n",
                "/*",
                "?",
                ":x",
                "big");
        Random random = new Random(7);
        for (int i = 0; i < 50_000; i++) {
            StringBuilder sql = new StringBuilder();
            for (int n = random.nextInt(25); n >= 0; n--) {
                sql.append(words.get(random.nextInt(words.size()))).append(' ');
            }
            try {
                assertThat(size(sql.toString()).levels()).isPositive();
            } catch (PerigeeException refused) {
                assertThat(refused.fault()).isEqualTo(Fault.INVALID_REQUEST);
            }
        }
    }

    /// Statements at random, of all that multiplies: what is let through is compiled soon.
    @Test
    void what_is_let_through_is_compiled_soon() {
        Random random = new Random(20261127);
        int refused = 0;
        int unmerged = 0;
        int compiled = 0;
        try (SqliteConnection connection = SqliteConnection.openInMemory()) {
            connection.exec("CREATE TABLE t (c, d, x)");
            for (int i = 0; i < 2000; i++) {
                String sql = statement(random);
                Size size = size(sql);
                if (size.added() > SchemaSize.MAX_WORDS) {
                    refused++;
                    continue;
                }
                boolean isMerged = size.merged() <= SchemaSize.MAX_MERGED_WORDS;
                connection.mergeSubqueries(isMerged);
                if (!isMerged) unmerged++;
                long begin = System.nanoTime();
                try (SqliteStatement _ = connection.prepare(sql)) {
                    compiled++;
                } catch (PerigeeException _) {
                    // Not all that is made is SQL, or within SQLite's own limits; that is no matter here.
                }
                assertThat(Duration.ofNanos(System.nanoTime() - begin))
                        .as("%s %s", size.merged(), sql)
                        .isLessThan(Duration.ofSeconds(5));
            }
        }
        assertThat(List.of(refused, unmerged, compiled)).as("of each kind").allMatch(count -> count > 20);
    }

    private static String statement(Random random) {
        int definitions = random.nextInt(24);
        StringBuilder with = new StringBuilder();
        List<String> tables = new ArrayList<>(List.of("t"));
        for (int i = 0; i < definitions; i++) {
            String query = query(random, tables, 1 + random.nextInt(4));
            with.append(i == 0 ? "WITH " : ", ")
                    .append("w")
                    .append(i)
                    .append(" AS (")
                    .append(query)
                    .append(")");
            tables.add("w" + i);
            tables.add("w" + i);
        }
        return with + " " + query(random, tables, 2 + random.nextInt(8));
    }

    private static String query(Random random, List<String> tables, int depth) {
        String from = depth == 0 || random.nextInt(6) == 0
                ? tables.get(random.nextInt(tables.size()))
                : "(" + query(random, tables, depth - 1) + ")";
        String other = tables.get(random.nextInt(tables.size()));
        String column = column(random);
        return switch (random.nextInt(9)) {
            case 0 -> "SELECT %s AS c, d, x FROM %s AS a WHERE c > 1 AND d = 2".formatted(column, from);
            case 1 -> "SELECT %s c, %s d, 1 x FROM %s AS a".formatted(column, column(random), from);
            case 2 -> "SELECT * FROM %s AS a WHERE %s".formatted(from, column);
            case 3 ->
                "SELECT a.c + b.d AS c, a.d, %s AS x FROM %s AS a LEFT JOIN %s AS b USING (x)"
                        .formatted("a.x", from, other);
            case 4 -> "SELECT c, d, x FROM %s UNION ALL SELECT %s, d, x FROM %s".formatted(from, column, other);
            case 5 -> "SELECT max(c) AS c, %s AS d, x FROM %s GROUP BY 2, 3 HAVING c > 1".formatted(column, from);
            case 6 ->
                "SELECT (SELECT %s FROM %s AS b WHERE b.d = a.c LIMIT 1) AS c, d, x FROM %s AS a"
                        .formatted("b.c", other, from);
            case 7 ->
                "SELECT DISTINCT %s AS c, d, x FROM %s WHERE c IN (SELECT d FROM %s)".formatted(column, from, other);
            default ->
                "SELECT c, d, x FROM %s AS a WHERE EXISTS (SELECT 1 FROM %s AS b WHERE b.c = %s)"
                        .formatted(from, other, "a.c");
        };
    }

    private static String column(Random random) {
        String column = random.nextBoolean() ? "c" : "d";
        return switch (random.nextInt(5)) {
            case 0 -> String.join(" + ", Collections.nCopies(1 + random.nextInt(12), column));
            case 1 -> "CASE WHEN %1$s > 1 THEN %1$s ELSE d || %1$s END".formatted(column);
            case 2 -> "coalesce(%1$s, %1$s * 2, c)".formatted(column);
            case 3 -> "%1$s BETWEEN %1$s AND %1$s".formatted(column);
            default -> column;
        };
    }
}
