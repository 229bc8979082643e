package dev.perigee.replication.freshness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.replication.freshness.TableFreshness.Fit;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.statement.FreshnessToken;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class CopyFreshnessTest {
    private static final Instant NOON = Instant.parse("2026-11-30T12:00:00Z");

    private final CopyFreshness copies = new CopyFreshness();
    private long log = 1000;

    @Test
    void a_transaction_is_seen_below_xmin_and_between_the_marks_unless_it_ran() {
        copies.record("t", moment(new long[] {12, 15}, 12, 20), "complete");
        assertThat(List.of(11, 12, 13, 14, 15, 19, 20, 99).stream().filter(number -> fit("x:7:" + number) == Fit.SEEN))
                .containsExactly(11, 13, 14, 19);
    }

    @Test
    void between_the_marks_of_a_standby_nothing_is_known_to_be_seen() {
        copies.record("t", moment(VisibleTransactions.of(12, 20, new long[0], false), "7", 1), "complete");
        assertThat(fit("x:7:11")).isEqualTo(Fit.SEEN);
        assertThat(fit("x:7:14")).isEqualTo(Fit.NOT_YET);
    }

    @Test
    void a_token_of_another_system_or_timeline_is_told_apart() {
        copies.record("t", moment(VisibleTransactions.of(20, 20, new long[0], true), "7", 3), "complete");
        assertThat(fit("x:8:11")).isEqualTo(Fit.OTHER_SYSTEM);
        assertThat(fit("l:8:3:0/1")).isEqualTo(Fit.OTHER_SYSTEM);
        assertThat(fit("l:7:2:0/1")).isEqualTo(Fit.OTHER_TIMELINE);
        assertThat(fit(new FreshnessToken.Answer("7", 2, 5, 0).toString())).isEqualTo(Fit.OTHER_TIMELINE);
        assertThat(fit("l:7:4:0/1"))
                .as("the copy has not followed the failover")
                .isEqualTo(Fit.NOT_YET);
        assertThat(fit("x:0:11")).as("a source without an identifier").isEqualTo(Fit.SEEN);
    }

    @Test
    void an_answers_position_is_seen_by_its_own_snapshot_and_by_later_ones_only() {
        SourceMoment[] inOrder = {
            moment(new long[] {12, 15}, 12, 20),
            moment(new long[] {15}, 15, 20),
            moment(new long[] {15, 20, 21}, 15, 22),
            moment(new long[0], 22, 22)
        };
        for (int i = 0; i < inOrder.length; i++) {
            for (int j = 0; j < inOrder.length; j++) {
                CopyFreshness at = new CopyFreshness();
                at.record("t", inOrder[i], "complete");
                FreshnessToken asked = FreshnessToken.parse(inOrder[j].position());
                assertThat(at.at("t", at.now()).orElseThrow().fit(asked))
                        .as("%d asked for %d", i, j)
                        .isEqualTo(i >= j ? Fit.SEEN : Fit.NOT_YET);
            }
        }
    }

    /// A commit record may be in the log before the transaction is visible. Here 15 has written its commit before
    /// position 1000, and is still in the list of running transactions of the snapshots that follow.
    @Test
    void a_log_position_is_seen_once_all_that_ran_when_it_was_reached_have_ended() {
        copies.record("t", moment(new long[] {15}, 15, 20), "complete");
        assertThat(fit("l:7:1:0/3E8")).as("its own position").isEqualTo(Fit.NOT_YET);
        copies.record("t", moment(new long[] {15, 21}, 15, 22), "complete");
        assertThat(fit("l:7:1:0/3E8")).as("15 still runs").isEqualTo(Fit.NOT_YET);
        copies.record("t", moment(new long[] {22}, 22, 23), "complete");
        assertThat(fit("l:7:1:0/3E8")).isEqualTo(Fit.SEEN);
        assertThat(fit("l:7:1:0/FFFF")).as("later in the log").isEqualTo(Fit.NOT_YET);
    }

    @Test
    void while_nothing_runs_a_log_position_is_seen_by_the_second_snapshot() {
        copies.record("t", moment(new long[0], 20, 20), "complete");
        copies.record("t", moment(new long[0], 20, 20), "complete");
        assertThat(fit("l:7:1:0/3E8")).isEqualTo(Fit.SEEN);
    }

    @Test
    void a_snapshot_taken_before_a_position_was_known_proves_nothing_about_it() {
        SourceMoment early = moment(new long[0], 20, 20);
        copies.record("other", moment(new long[0], 20, 20), "complete");
        copies.record("t", early, "complete");
        assertThat(fit("l:7:1:0/3E8")).isEqualTo(Fit.NOT_YET);
    }

    @Test
    void a_read_that_began_earlier_does_not_get_what_was_recorded_since() {
        copies.record("t", moment(new long[] {12}, 12, 13), "complete");
        long mark = copies.now();
        copies.record("t", moment(new long[0], 13, 13), "complete");
        assertThat(copies.at("t", mark).orElseThrow().fit(FreshnessToken.parse("x:7:12")))
                .isEqualTo(Fit.NOT_YET);
        assertThat(fit("x:7:12")).isEqualTo(Fit.SEEN);
    }

    @Test
    void an_earlier_snapshot_that_is_recorded_later_changes_nothing() {
        SourceMoment early = moment(new long[] {12}, 12, 13);
        copies.record("t", moment(new long[0], 13, 13), "complete");
        copies.record("t", early, "settled(10s)");
        assertThat(fit("x:7:12")).isEqualTo(Fit.SEEN);
    }

    @Test
    void a_look_moves_all_its_tables_and_keeps_their_guarantees() {
        copies.record("t", moment(new long[] {12}, 12, 13), "settled(10s)");
        copies.unchanged(
                List.of("t", "never"), VisibleTransactions.of(13, 13, new long[0], true), NOON, System.nanoTime());
        assertThat(fit("x:7:12")).isEqualTo(Fit.SEEN);
        assertThat(copies.at("t", copies.now()).orElseThrow().guarantee()).isEqualTo("settled(10s)");
        assertThat(copies.at("never", copies.now())).isEmpty();
    }

    @Test
    void after_a_restart_only_the_time_is_known() {
        copies.remember("t", Optional.of(NOON), "complete");
        assertThat(fit("t:2026-11-30T12:00:00Z")).isEqualTo(Fit.SEEN);
        assertThat(fit("t:2026-11-30T12:00:01Z")).isEqualTo(Fit.NOT_YET);
        assertThat(fit("x:7:1")).isEqualTo(Fit.NOT_YET);
        assertThat(copies.at("t", copies.now()).orElseThrow().age(System.nanoTime()))
                .isEmpty();
    }

    @Test
    @Timeout(30)
    void a_record_wakes_the_thread_that_waits_for_its_table() throws InterruptedException {
        CountDownLatch registered = new CountDownLatch(1);
        Thread waiter = Thread.ofVirtual().start(() -> {
            try (CopyFreshness.Waiting _ = copies.waitFor(List.of("t"))) {
                registered.countDown();
                while (copies.at("t", copies.now()).isEmpty()) LockSupport.park();
            }
        });
        registered.await();
        assertThat(copies.isAwaited("t")).isTrue();
        copies.record("t", moment(new long[0], 13, 13), "complete");
        waiter.join();
        assertThat(copies.isAwaited("t")).isFalse();
    }

    private Fit fit(String token) {
        return copies.at("t", copies.now()).orElseThrow().fit(FreshnessToken.parse(token));
    }

    private SourceMoment moment(long[] running, long lowest, long next) {
        return moment(VisibleTransactions.of(lowest, next, running, true), "7", 1);
    }

    private SourceMoment moment(VisibleTransactions visible, String system, long timeline) {
        return new SourceMoment(
                Optional.of(NOON),
                System.nanoTime(),
                Duration.ZERO,
                Optional.of(visible),
                OptionalLong.of(log++),
                new History(system, timeline));
    }
}
