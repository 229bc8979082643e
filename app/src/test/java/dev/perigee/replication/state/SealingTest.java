package dev.perigee.replication.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Moment;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// The two marks without a source: which moment seals what.
class SealingTest {
    private static final Predicate<Moment> NOTHING = _ -> false;

    @Test
    void nothing_is_sealed_while_transactions_of_the_first_moment_are_open() {
        Sealing sealing = Sealing.NONE.looked(moment(1), mark(10), NOTHING).looked(moment(2), mark(20), NOTHING);
        assertThat(sealing.sealed()).isEmpty();
        assertThat(sealing.open()).extracting(Sealing.Open::moment).containsExactly(moment(1), moment(2));
        assertThat(sealing.lookedSince()).hasValue("at 2");
        assertThat(sealing.isOpen(mark(20).get())).isTrue();
    }

    @Test
    void what_was_seen_at_the_last_moment_that_is_settled_is_sealed_and_later_moments_stay() {
        Sealing sealing = Sealing.NONE
                .looked(moment(1), mark(10), NOTHING)
                .looked(moment(2), mark(20), NOTHING)
                .looked(
                        moment(3),
                        mark(30),
                        earlier -> !earlier.at().isAfter(moment(1).at()));
        assertThat(sealing.sealed()).isEqualTo(mark(10));
        assertThat(sealing.open()).extracting(Sealing.Open::seen).containsExactly(mark(20).get(), mark(30).get());
    }

    @Test
    void a_moment_behind_an_open_one_is_not_sealed_before_it() {
        Sealing sealing = Sealing.NONE
                .looked(moment(1), mark(10), NOTHING)
                .looked(moment(2), mark(20), NOTHING)
                .looked(moment(3), mark(30), earlier -> earlier.equals(moment(2)));
        assertThat(sealing.sealed()).isEmpty();
        assertThat(sealing.open()).hasSize(3);
    }

    @Test
    void without_looking_for_late_rows_nothing_is_sealed_and_the_search_still_begins_where_it_ended() {
        Sealing sealing = Sealing.NONE.looked(moment(1), mark(10), NOTHING).remembering(moment(2), mark(20));
        assertThat(sealing.lookedSince()).hasValue("at 1");
        assertThat(sealing.open()).hasSize(2);
    }

    @Test
    void the_earliest_moment_of_a_mark_is_the_one_that_counts() {
        Sealing sealing = Sealing.NONE.looked(moment(1), mark(10), NOTHING).looked(moment(2), mark(10), NOTHING);
        assertThat(sealing.open()).extracting(Sealing.Open::moment).containsExactly(moment(1));
    }

    @Test
    void a_table_at_rest_has_nothing_open() {
        Sealing sealing = Sealing.NONE.looked(moment(1), mark(10), NOTHING).looked(moment(2), mark(10), _ -> true);
        assertThat(sealing).isEqualTo(new Sealing(mark(10), Optional.of("at 2"), List.of()));
        assertThat(sealing.isOpen(mark(10).get())).isFalse();
    }

    @Test
    void however_many_moments_stay_open_few_are_remembered_the_first_and_the_last_among_them() {
        Sealing sealing = Sealing.NONE;
        for (int i = 1; i <= 1000; i++) sealing = sealing.looked(moment(i), mark(i), NOTHING);
        assertThat(sealing.open()).hasSizeLessThanOrEqualTo(Sealing.MAX_OPEN);
        assertThat(sealing.open().getFirst().moment()).isEqualTo(moment(1));
        assertThat(sealing.open().getLast().moment()).isEqualTo(moment(1000));
        assertThat(sealing.open())
                .isSortedAccordingTo(
                        (a, b) -> a.moment().at().compareTo(b.moment().at()));
    }

    @Test
    void it_is_kept_as_it_is() {
        Sealing sealing =
                new Sealing(mark(10), Optional.of("at 2"), List.of(new Sealing.Open(moment(3), mark(30).get())));
        assertThat(SealingText.read(Optional.of(SealingText.of(sealing)), sealing.lookedSince()))
                .isEqualTo(sealing);
        assertThat(SealingText.read(Optional.empty(), Optional.empty())).isEqualTo(Sealing.NONE);
    }

    private static Moment moment(int second) {
        return new Moment(Instant.ofEpochSecond(second), "at " + second);
    }

    private static Optional<HighWaterMark> mark(int cursor) {
        return Optional.of(new HighWaterMark(Optional.of(Integer.toString(cursor)), List.of("1")));
    }
}
