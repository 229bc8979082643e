package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlNamesTest {
    @Test
    void names_are_folded_as_sqlite_does_by_ascii_alone() {
        assertThat(SqlNames.folded("ORDERS_Ä\u212A")).isEqualTo("orders_Ä\u212A");
        assertThat(SqlNames.folded("plain")).isEqualTo("plain");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "plain | plain",
                "~\"a\"\"b\"~ | ~a\"b~",
                "`a``b` | a`b",
                "'it''s' | it's",
                "[a[[b] | a[[b",
                "\" | \"",
            })
    void a_word_in_any_of_sqlites_quotes_is_its_name(String word, String name) {
        assertThat(SqlNames.unquoted(word)).isEqualTo(name);
    }

    @Test
    void what_is_quoted_is_unquoted_to_itself() {
        String name = "a\"b'c`[d";
        assertThat(SqlNames.unquoted(SqlNames.quoted(name))).isEqualTo(name);
    }
}
