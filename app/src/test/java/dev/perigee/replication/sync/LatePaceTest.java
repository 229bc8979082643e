package dev.perigee.replication.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LatePaceTest {
    /// Below zero, as `System.nanoTime()` may be.
    private final AtomicLong now = new AtomicLong(-1_000_000_000_000L);

    private final LatePace pace = new LatePace(now::get);

    @Test
    void the_first_look_is_due_at_once() {
        assertThat(pace.isDue()).isTrue();
    }

    @Test
    void looks_of_up_to_a_second_are_due_at_each_sync() {
        looks(Duration.ofSeconds(1));
        assertThat(pace.isDue()).isTrue();
    }

    @Test
    void a_longer_look_rests_nine_times_as_long_as_it_took() {
        looks(Duration.ofSeconds(2));
        assertThat(pace.isDue()).isFalse();
        passes(Duration.ofSeconds(18).minusNanos(1));
        assertThat(pace.isDue()).isFalse();
        passes(Duration.ofNanos(1));
        assertThat(pace.isDue()).isTrue();
    }

    @Test
    void a_short_look_after_a_long_one_ends_the_rest() {
        looks(Duration.ofMinutes(1));
        looks(Duration.ofMillis(5));
        assertThat(pace.isDue()).isTrue();
    }

    private void looks(Duration took) {
        long started = now.get();
        passes(took);
        pace.looked(started);
    }

    private void passes(Duration time) {
        now.addAndGet(time.toNanos());
    }
}
