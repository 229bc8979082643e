package dev.perigee.replication.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.perigee.config.TableConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void an_interval_counts_from_start_to_start() {
        Schedule every = new Schedule.Every(Duration.ofSeconds(10));
        assertThat(every.next(START, START.plusSeconds(3))).isEqualTo(START.plusSeconds(10));
        assertThat(every.next(START, START.plusSeconds(12)))
                .as("a sync that took longer is followed at once")
                .isEqualTo(START.plusSeconds(12));
    }

    @Test
    void a_clock_that_was_set_back_during_a_sync_does_not_put_the_next_one_off() {
        Schedule every = new Schedule.Every(Duration.ofSeconds(10));
        assertThat(every.next(START.plusSeconds(3600), START)).isEqualTo(START.plusSeconds(10));
    }

    /// Zurich leaves summer time at 01:00 UTC on 2026-10-25 and enters it at 01:00 UTC on 2026-03-29.
    @ParameterizedTest
    @CsvSource({
        "0 3 * * *,    UTC,           2026-01-01T02:59:59Z, 2026-01-01T03:00:00Z",
        "0 3 * * *,    UTC,           2026-01-01T03:00:00Z, 2026-01-02T03:00:00Z",
        "0 3 * * *,    Europe/Zurich, 2026-03-28T12:00:00Z, 2026-03-29T01:00:00Z",
        "0 3 * * *,    Europe/Zurich, 2026-10-24T12:00:00Z, 2026-10-25T02:00:00Z",
        "30 2 * * *,   Europe/Zurich, 2026-03-28T12:00:00Z, 2026-03-29T01:00:00Z",
        "30 2 * * *,   Europe/Zurich, 2026-03-29T01:00:00Z, 2026-03-30T00:30:00Z",
        "30 2 * * *,   Europe/Zurich, 2026-10-24T12:00:00Z, 2026-10-25T00:30:00Z",
        "30 2 * * *,   Europe/Zurich, 2026-10-25T00:30:00Z, 2026-10-26T01:30:00Z",
        "30 2 * * *,   America/New_York, 2026-03-08T00:00:00Z, 2026-03-08T07:00:00Z",
        "0 0 * * *,    Africa/Cairo,  2026-04-23T12:00:00Z, 2026-04-23T22:00:00Z",
        "30 2 * * *,   Australia/Lord_Howe, 2026-10-03T06:00:00Z, 2026-10-03T15:30:00Z",
        "*/15 * * * *, UTC,           2026-01-01T00:01:00Z, 2026-01-01T00:15:00Z",
        "30 6 * * 1,   UTC,           2026-01-01T00:00:00Z, 2026-01-05T06:30:00Z",
    })
    void a_cron_expression_is_read_in_its_zone(String cron, String zone, Instant finished, Instant next) {
        assertThat(Schedule.of(cron(cron, zone), Instant.EPOCH).next(finished, finished))
                .isEqualTo(next);
    }

    @Test
    void a_field_the_parser_trips_over_is_refused_as_any_other() {
        assertThatIllegalArgumentException().isThrownBy(() -> Schedule.of(cron("1 6-/ 5 8 0", "UTC"), Instant.EPOCH));
    }

    @Test
    void retries_wait_longer_each_time_up_to_the_limit_and_not_all_the_same() {
        Backoff backoff = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(60), new Random(1));
        for (int failures = 1; failures < 40; failures++) {
            long most = Math.min(60_000, 1000L << Math.min(30, failures - 1));
            assertThat(backoff.delay(failures, true).toMillis()).isBetween(most / 2, most);
        }
        List<Duration> same = IntStream.range(0, 20)
                .mapToObj(_ -> backoff.delay(5, true))
                .distinct()
                .toList();
        assertThat(same).hasSizeGreaterThan(5);
        assertThat(backoff.delay(1, false)).as("what no retry mends").isGreaterThanOrEqualTo(Duration.ofSeconds(30));
    }

    private static TableConfig cron(String cron, String zone) {
        return TableConfig.of("t", "c", TableConfig.DEFAULT_INTERVAL).toBuilder()
                .cron(cron, zone)
                .build();
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "3, 1", "8, 2", "40, 10", "1200, 300", "100000, 300"})
    void an_interval_grows_with_the_time_since_the_last_change_within_its_bounds(long quietSeconds, long seconds) {
        Instant now = Instant.parse("2026-11-30T12:00:00Z");
        Schedule adaptive =
                new Schedule.Adaptive(Duration.ofSeconds(1), Duration.ofMinutes(5), now.minusSeconds(quietSeconds));
        assertThat(adaptive.next(now, now)).isEqualTo(now.plusSeconds(seconds));
    }
}
