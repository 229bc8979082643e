package dev.perigee.source.postgres.statement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.integers;
import static org.quicktheories.generators.SourceDSL.lists;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quicktheories.core.Gen;

/// How callers' placeholders become the driver's, and what only looks like one.
class PlaceholdersTest {
    /// Pieces that end wherever they stand, and hold what looks like placeholders and ends of statements.
    private static final List<String> OPAQUE = List.of(
            "'?'",
            "'it''s ? $1 ;'",
            "E'\\' ? $1 ;'",
            "e'\\\\'",
            "U&'?'",
            "\"? $1 ;\"",
            "\"a\"\"?\"",
            "$$ ? $1 ; ' $$",
            "$tag$ $$ ? $1 ; $other$ $tag$",
            "-- ? $1 ; '\n",
            "/* ? /* $1 ; */ ' */",
            "a$1",
            "SELECT",
            "1.5e3",
            "größe",
            "::int");

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "SELECT 1 ~ SELECT 1 ~ 0",
                "SELECT ? ~ SELECT ? ~ 1",
                "SELECT ?, ? ~ SELECT ?, ? ~ 2",
                "SELECT $1 ~ SELECT ? ~ 1",
                "SELECT $2, $1 ~ SELECT ?, ? ~ 2",
                "SELECT $1, $1 ~ SELECT ?, $1 ~ 1",
                "SELECT $2, $1, $2 ~ SELECT ?, ?, $1 ~ 2",
                "SELECT j ? 'a' AND b = $1 ~ SELECT j ?? 'a' AND b = ? ~ 1",
                "SELECT j ?| $1 OR j ?& $2 ~ SELECT j ??| ? OR j ??& ? ~ 2",
                "SELECT j ?| ? ~ SELECT j ??| ? ~ 1",
                "SELECT j ?& ? ~ SELECT j ??& ? ~ 1",
                "SELECT ?||'x' ~ SELECT ?||'x' ~ 1",
                "SELECT j ?? 'a' AND b = ? ~ SELECT j ?? 'a' AND b = ? ~ 1",
                "SELECT '?', \"?\", $$?$$ -- ? ~ SELECT '?', \"?\", $$?$$ -- ? ~ 0",
                "SELECT E'\\'?', ? ~ SELECT E'\\'?', ? ~ 1",
                "SELECT type'?', ? ~ SELECT type'?', ? ~ 1",
                "SELECT /* /* ? */ ? */ ? ~ SELECT /* /* ? */ ? */ ? ~ 1",
                "SELECT x$1, ? ~ SELECT x$1, ? ~ 1",
                "SELECT 1;; ; -- x ~ SELECT 1     -- x ~ 0",
                "SELECT 1; -- the end ~ SELECT 1  -- the end ~ 0",
            })
    void placeholders_become_the_drivers(String written, String forDriver, int values) {
        assertThat(Placeholders.of(written, values).sql()).isEqualTo(forDriver);
    }

    @Test
    void numbers_are_the_callers_order() {
        assertThat(Placeholders.of("SELECT $3, $1, $3, $2", 3).order()).containsExactly(2, 0, 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT 1; SELECT 2", "SELECT 1;; SELECT 2", "SELECT 1; /* */ x", "BEGIN; DROP TABLE t"})
    void more_than_one_statement_is_refused(String sql) {
        assertRefused(sql, 0, "one statement");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT $1, ?",
                "SELECT * FROM t WHERE a = ? AND b = $1",
                "SELECT f(?, $1)",
                "SELECT * FROM t WHERE a = $1 AND b = ?",
                "INSERT INTO t VALUES ($1, ?)",
                "SELECT $1 + ?",
            })
    void both_kinds_together_are_refused(String sql) {
        assertRefused(sql, 2, "mixed");
    }

    @ParameterizedTest
    @CsvSource({
        "SELECT ?, 0, expected 1 parameters but found 0",
        "SELECT 1, 1, expected 0 parameters but found 1",
        "SELECT $2, 2, `$1` is not used",
        "SELECT $0, 0, counted from `$1`",
        "SELECT $99999999999, 0, number",
        "SELECT $3 || $1, 2, expected 3 parameters",
    })
    void values_that_do_not_fit_are_refused(String sql, int values, String said) {
        assertRefused(sql, values, said);
    }

    @Test
    void what_is_quoted_never_changes_and_every_placeholder_outside_is_found() {
        qt().withExamples(2_000).forAll(pieces()).checkAssert(pieces -> {
            StringBuilder sql = new StringBuilder();
            int count = 0;
            for (int piece : pieces) {
                boolean isPlaceholder = piece == OPAQUE.size();
                sql.append(isPlaceholder ? "?" : OPAQUE.get(piece)).append(' ');
                if (isPlaceholder) count++;
            }
            Placeholders placeholders = Placeholders.of(sql.toString(), count);
            assertThat(placeholders.sql()).isEqualTo(sql.toString());
            assertThat(placeholders.order()).hasSize(count);
        });
    }

    @Test
    void numbered_ones_are_found_anywhere_and_keep_their_values() {
        qt().withExamples(2_000)
                .forAll(pieces(), lists().of(integers().between(1, 4)).ofSize(12))
                .checkAssert((pieces, numbers) -> {
                    StringBuilder sql = new StringBuilder();
                    List<Integer> wanted = new ArrayList<>(List.of(1, 2, 3, 4));
                    wanted.forEach(number -> sql.append("$").append(number).append(' '));
                    for (int i = 0; i < pieces.size(); i++) {
                        boolean isPlaceholder = pieces.get(i) == OPAQUE.size();
                        if (isPlaceholder) wanted.add(numbers.get(i % 12));
                        sql.append(isPlaceholder ? "$" + numbers.get(i % 12) : OPAQUE.get(pieces.get(i)))
                                .append(' ');
                    }
                    Placeholders placeholders = Placeholders.of(sql.toString(), 4);
                    assertThat(asServerSees(placeholders)).isEqualTo(sql.toString());
                });
    }

    @Test
    void the_servers_positions_point_into_the_callers_text() {
        String sql = "SELECT $12 + $11, j ? 'x', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, nope";
        Placeholders placeholders = Placeholders.of(sql, 12);
        String server = asDriverSends(placeholders);
        assertThat(placeholders.position(server.indexOf("nope") + 1)).isEqualTo(sql.indexOf("nope") + 1);
        assertThat(placeholders.position(server.indexOf("'x'") + 1)).isEqualTo(sql.indexOf("'x'") + 1);
        assertThat(placeholders.position(1)).isEqualTo(1);
    }

    private static Gen<List<Integer>> pieces() {
        return lists().of(integers().between(0, OPAQUE.size())).ofSizeBetween(0, 12);
    }

    /// The parameters numbered as the caller did.
    private static String asServerSees(Placeholders placeholders) {
        StringBuilder text = new StringBuilder();
        SqlLexer lexer = new SqlLexer(placeholders.sql());
        int next = 0;
        for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
            if (kind == SqlLexer.Kind.SYMBOL && lexer.text().equals("?")) {
                text.append('$').append(placeholders.order().get(next++) + 1);
            } else if (kind == SqlLexer.Kind.PARAMETER) {
                int number = Integer.parseInt(lexer.text().substring(1));
                text.append('$').append(placeholders.order().get(number - 1) + 1);
            } else {
                text.append(lexer.text());
            }
        }
        return text.toString();
    }

    /// As pgjdbc does it, for statements without quotes.
    private static String asDriverSends(Placeholders placeholders) {
        String text = placeholders.sql().replace("??", "\u0001");
        for (int i = 1; text.contains("?"); i++) text = text.replaceFirst("\\?", "\\$" + i);
        return text.replace('\u0001', '?');
    }

    private static void assertRefused(String sql, int values, String said) {
        assertThatThrownBy(() -> Placeholders.of(sql, values))
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.SOURCE_STATEMENT))
                .hasMessageContaining(said);
    }
}
