package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.FreshnessDemand;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FreshnessHeadersTest {
    /// HTTP counts an answer's `Age` towards its `max-age`.
    @ParameterizedTest
    @CsvSource({"3, 2, , 5", "3, 2, 4s, 4", "3, 2, 1h, 5", "0, 5, , 5", "3, 0, , 0", "-1, 5, , 0"})
    void an_answer_is_kept_until_its_copies_are_due(long age, long rest, @Nullable String most, long maxAge) {
        AnswerFreshness freshness = new AnswerFreshness(
                "",
                "",
                Duration.ofSeconds(age).toNanos(),
                "",
                Duration.ofSeconds(rest).toNanos());

        assertThat(FreshnessHeaders.maxAge(freshness, demand(most))).isEqualTo(Duration.ofSeconds(maxAge));
    }

    @Test
    void nothing_asked_is_nothing_demanded() {
        assertThat(demand(null)).isSameAs(FreshnessDemand.NONE);
    }

    private static FreshnessDemand demand(@Nullable String most) {
        return FreshnessDemand.of(new FreshnessDemand.Words(
                Optional.ofNullable(most), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()));
    }
}
