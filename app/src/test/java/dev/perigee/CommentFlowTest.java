package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CommentFlowTest {
    @Test
    void a_word_left_alone_goes_back_to_its_line() {
        assertThat(filled("""
                    /// Closes it; an open transaction is rolled back. A second call
                    /// does
                    /// nothing.
                    void close();
                """)).isEqualTo("""
                    /// Closes it; an open transaction is rolled back. A second call does
                    /// nothing.
                    void close();
                """);
    }

    @Test
    void items_and_tags_keep_their_place_and_their_indent() {
        assertThat(filled("""
                /// Two:
                /// - the first of them, which is long enough to go over the end of a line
                /// of it
                /// - the second
                ///
                /// @param one what is told about it takes more than one line to be
                /// told
                /// @return what it is
                """)).isEqualTo("""
                /// Two:
                /// - the first of them, which is long enough to go over the end of a line of
                ///   it
                /// - the second
                ///
                /// @param one what is told about it takes more than one line to be told
                /// @return what it is
                """);
    }

    @Test
    void code_tables_columns_and_text_blocks_stay() {
        String source = """
                /// ```
                /// one
                /// two
                /// ```
                /// | a | b |
                /// |---|---|
                ///
                ///     indented
                ///     code
                // a  0
                // b  1
                String text = \"""
                // one two
                \""";
                """;
        assertThat(filled(source)).isEqualTo(source);
    }

    @Test
    void no_line_begins_with_what_markdown_takes_for_something_else() {
        assertThat(filled("// This line is longer than any line may be, which is why it is broken up now - so\n"))
                .isEqualTo("""
                        // This line is longer than any line may be, which is why it is broken up
                        // now - so
                        """);
    }

    @Test
    void what_is_filled_stays_when_it_is_filled_again() {
        String once = filled("/// " + "word and - another 1. ".repeat(20) + "\n");
        assertThat(filled(once)).isEqualTo(once);
    }

    private static String filled(String source) {
        return CommentFlow.fill(source, 78);
    }
}
