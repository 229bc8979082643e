package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RateLimitsTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5); // It overflows soon, as `System.nanoTime()` may.

    private final RateLimits limits = new RateLimits(20, 1, TimeUnit.SECONDS, now::get);

    private int taken(String name, int times) {
        int taken = 0;
        for (int i = 0; i < times; i++) if (limits.tryTake(name)) taken++;
        return taken;
    }

    private void passes(Duration time) {
        now.addAndGet(time.toNanos());
    }

    @Test
    void a_burst_is_as_much_as_a_period_allows_and_others_have_their_own() {
        assertThat(taken("one", 100)).isEqualTo(20);
        assertThat(limits.isSpent("one")).isTrue();
        assertThatThrownBy(() -> limits.take("one")).hasMessageContaining("Too many requests");
        assertThat(limits.isSpent("other")).isFalse();
        assertThat(taken("other", 100)).isEqualTo(20);
    }

    @Test
    void what_was_used_up_comes_back_with_time_and_never_more_than_a_burst() {
        assertThat(taken("one", 100)).isEqualTo(20);
        passes(Duration.ofMillis(49));
        assertThat(taken("one", 100)).isZero();
        passes(Duration.ofMillis(1));
        assertThat(taken("one", 100)).isEqualTo(1);
        passes(Duration.ofMillis(500));
        assertThat(taken("one", 100)).isEqualTo(10);
        passes(Duration.ofHours(1));
        assertThat(taken("one", 100)).isEqualTo(20);
    }

    @Test
    void what_is_given_back_counts_no_more() {
        assertThat(taken("one", 100)).isEqualTo(20);
        limits.giveBack("one");
        assertThat(limits.isSpent("one")).isFalse();
        assertThat(taken("one", 100)).isEqualTo(1);
        limits.giveBack("nobody");
        assertThat(taken("nobody", 100)).isEqualTo(20);
    }

    @Test
    void who_has_used_up_what_it_may_is_not_forgotten_for_names_that_are_invented() {
        assertThat(taken("guesser", 100)).isEqualTo(20);
        for (int i = 0; i < 3 * RateLimits.MAX_NAMES; i++) {
            limits.tryTake("invented" + i);
            assertThat(limits.names()).isLessThanOrEqualTo(RateLimits.MAX_NAMES);
        }
        assertThat(limits.isSpent("guesser")).isTrue();
        assertThat(taken("guesser", 100)).isZero();
    }
}
