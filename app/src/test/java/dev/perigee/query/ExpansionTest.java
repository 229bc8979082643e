package dev.perigee.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.PerigeeException;
import dev.perigee.query.Expansion.Size;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExpansionTest {
    private static final Map<String, Size> VIEWS = Map.of("big", new Size(1000, 0, 1000, 30, 1000, 3, 20, true));

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

    @Test
    void columns_multiply_with_each_level_and_stars_do_not() {
        assertThat(merged("SELECT a, coalesce(b, c) AS b FROM (%s)", 10)).isBetween(1000L, 200_000L);
        assertThat(merged("SELECT * FROM (%s) WHERE a > 1 AND b > 2", 20)).isLessThan(500);
        assertThat(merged("SELECT max(a) AS a, sum(b) AS b, count(*) AS n FROM (%s) GROUP BY c", 20))
                .isLessThan(1000);
        assertThat(merged("SELECT a + a AS a FROM (%s)", 20)).isGreaterThan(1 << 20);
    }

    private static long merged(String level, int count) {
        String sql = "t";
        for (int i = 0; i < count; i++) sql = level.formatted(sql);
        return size(sql).mergedWords();
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
}
