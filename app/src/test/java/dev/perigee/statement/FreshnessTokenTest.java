package dev.perigee.statement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreshnessTokenTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "x:7312345678901234567:4294967396",
                "l:7312345678901234567:1:16/B374D848",
                "t:2026-11-30T20:00:00.123456Z",
                "p:7312345678901234567:00000001:0000000100000064.fffffffe",
            })
    void a_token_is_read_and_written_without_loss(String text) {
        assertThat(FreshnessToken.parse(" " + text + " ")).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x:",
                "x:1",
                "x:1:",
                "x:a:1",
                "x:1:99999999999999999999",
                "l:1:1:16",
                "l:1:1:G/1",
                "l:1:99999999999:0/1",
                "t:yesterday",
                "t:2026-11-30T20:00:00",
                "p:1:1:1.1",
                "y:1:1",
                "x:1:1 OR 1=1",
                "x:1:1\u0000",
            })
    void what_is_no_token_is_refused_as_the_callers_mistake(String text) {
        assertThatThrownBy(() -> FreshnessToken.parse(text))
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.INVALID_REQUEST))
                .hasMessageContaining("is not a freshness token");
    }

    @Test
    void a_token_of_any_length_is_refused_with_a_short_message() {
        assertThatThrownBy(() -> FreshnessToken.parse("x:1:" + "1".repeat(1_000_000)))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400));
    }

    @Test
    void positions_of_answers_sort_as_text_in_the_order_of_their_snapshots() {
        List<String> inOrder = Stream.of(
                        new FreshnessToken.Answer("7", 1, 100, 5),
                        new FreshnessToken.Answer("7", 1, 100, 4),
                        new FreshnessToken.Answer("7", 1, 100, 0),
                        new FreshnessToken.Answer("7", 1, 101, 20),
                        new FreshnessToken.Answer("7", 1, 1L << 40, 3),
                        new FreshnessToken.Answer("7", 2, 90, 0),
                        new FreshnessToken.Answer("7", 10, 90, 0))
                .map(FreshnessToken::toString)
                .toList();
        assertThat(inOrder.stream().sorted().toList()).isEqualTo(inOrder);
    }
}
