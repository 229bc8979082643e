package dev.perigee.query.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the external database's statements are compared by: SQLite does not read these, PostgreSQL does, and where the
/// two differ about what is a comment or a text, a client must not be able to choose.
class StatementShapeTest {
    private static final String ENTRY = "SELECT * FROM t WHERE a <> $1 AND owner = $2";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select * from t where a<>'x' and owner='y'",
                "SELECT * FROM t /* why */ WHERE a <> 5 -- so\r\n AND owner = $1;",
                "SELECT *\tFROM t\r\nWHERE a <> ? AND owner = ?",
            })
    void values_blanks_comments_and_case_make_no_difference(String sql) {
        assertThat(StatementShape.of(sql)).isEqualTo(StatementShape.of(ENTRY));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // PostgreSQL's comments nest: it would see no condition.
                "SELECT * FROM t /* /* */ WHERE a <> 'x' AND owner = 'y' /* */ -- */",
                // PostgreSQL's line ends at the carriage return.
                "SELECT * FROM t WHERE a <> $1 AND owner = $2 --\r OR true",
                "SELECT * FROM t WHERE a <> $1 AND owner = $2 --\r OR true\n",
                "SELECT * FROM t --\r, u\nWHERE a <> $1 AND owner = $2",
                // Between dollars stands one text.
                "SELECT * FROM t WHERE a <> $x$ AND owner = $x$",
                "SELECT * FROM t WHERE a <> $$ AND owner = $$",
                "SELECT * FROM t WHERE a <> 1$$ AND owner = 1$$",
                "SELECT * FROM t WHERE a <> $1(') AND owner = $2(')",
                "SELECT * FROM t WHERE a <> $1 AND owner = $2; DELETE FROM t",
            })
    void what_postgresql_reads_differently_is_another_statement(String sql) {
        assertThat(StatementShape.of(sql)).isNotEqualTo(StatementShape.of(ENTRY));
    }

    /// A backslash escapes in such a text, so that SQLite would find its end elsewhere.
    @Test
    void a_text_with_escapes_is_like_itself_only() {
        String entry = StatementShape.of("SELECT * FROM t WHERE a = E'x'");
        assertThat(StatementShape.of("SELECT * FROM t WHERE a = e'x'")).isEqualTo(entry);
        assertThat(StatementShape.of("SELECT * FROM t WHERE a = E'x\\'' OR true --'"))
                .isNotEqualTo(entry);
    }
}
