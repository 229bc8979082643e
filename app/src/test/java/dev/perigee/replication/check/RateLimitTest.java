package dev.perigee.replication.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateLimitTest {
    /// Time passes only while somebody sleeps, or when the test says so.
    private static final class TestClock implements RateLimit.Clock {
        long now = Long.MAX_VALUE - 5; // It overflows soon, as `System.nanoTime()` may.
        long slept;

        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public void sleep(long nanos) {
            now += nanos;
            slept += nanos;
        }
    }

    private final TestClock clock = new TestClock();

    @Test
    void without_a_limit_nothing_waits_and_portions_are_as_they_come() throws InterruptedException {
        RateLimit none = new RateLimit(0, clock);
        none.passed(1_000_000);
        assertThat(clock.slept).isZero();
        assertThat(none.portion(5000)).isEqualTo(5000);
    }

    @Test
    void rows_take_as_long_as_the_rate_says() throws InterruptedException {
        RateLimit limit = new RateLimit(100, clock);
        for (int i = 0; i < 5; i++) limit.passed(100);
        assertThat(Duration.ofNanos(clock.slept)).isEqualTo(Duration.ofSeconds(5));
    }

    @Test
    void time_that_the_rows_themselves_took_is_not_waited_for_again() throws InterruptedException {
        RateLimit limit = new RateLimit(100, clock);
        clock.now += Duration.ofMillis(700).toNanos();
        limit.passed(100);
        assertThat(Duration.ofNanos(clock.slept)).isEqualTo(Duration.ofMillis(300));
        clock.now += Duration.ofSeconds(10).toNanos();
        limit.passed(100);
        assertThat(Duration.ofNanos(clock.slept)).isEqualTo(Duration.ofMillis(300));
    }

    @Test
    void a_portion_is_a_second_s_rows_at_most_and_one_at_least() {
        assertThat(new RateLimit(100, clock).portion(5000)).isEqualTo(100);
        assertThat(new RateLimit(10_000, clock).portion(5000)).isEqualTo(5000);
        assertThat(new RateLimit(1, clock).portion(5000)).isEqualTo(1);
        assertThat(new RateLimit(10, clock).portion(0)).isEqualTo(1);
    }
}
