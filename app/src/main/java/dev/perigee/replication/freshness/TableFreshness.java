package dev.perigee.replication.freshness;

import dev.perigee.statement.FreshnessToken;
import dev.perigee.statement.FreshnessToken.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/// What one copy has of its source: at least everything that was visible in a snapshot, under the table's guarantee.
///
/// @param asOf as of when, by the source's clock
/// @param moment the snapshot; empty after a restart, until the table's next sync or look
/// @param settledLog every commit before this position of the source's log is visible in the snapshot
/// @param guarantee see [dev.perigee.replication.state.Guarantee]
public record TableFreshness(
        Optional<Instant> asOf, Optional<SourceMoment> moment, OptionalLong settledLog, String guarantee) {
    /// How a token compares with what a copy has.
    public enum Fit {
        /// The copy has it.
        SEEN,
        /// The copy may not have it yet.
        NOT_YET,
        /// It is of another server.
        OTHER_SYSTEM,
        /// It is of an earlier history of the same server, as after a failover. What it names may be lost.
        OTHER_TIMELINE
    }

    static TableFreshness of(SourceMoment moment, OptionalLong settledLog, String guarantee) {
        return new TableFreshness(moment.asOf(), Optional.of(moment), settledLog, guarantee);
    }

    /// What is known of a copy after a restart.
    static TableFreshness remembered(Optional<Instant> asOf, String guarantee) {
        return new TableFreshness(asOf, Optional.empty(), OptionalLong.empty(), guarantee);
    }

    /// The position of an answer that was read from the copy, as text; empty text where it is not known.
    public String position() {
        return moment.map(SourceMoment::position).orElse("");
    }

    /// `asOf` as text; empty text where it is not known.
    public String time() {
        return moment.map(SourceMoment::time)
                .orElseGet(() -> asOf.map(Instant::toString).orElse(""));
    }

    /// How old it was at a time; empty where that is not known. Never less than the true age.
    ///
    /// @param nowNanos that time by [System#nanoTime]
    public Optional<Duration> age(long nowNanos) {
        // A source that cannot say as of when its snapshot is, may have shown an older state.
        return asOf.flatMap(_ -> moment).map(taken -> taken.age(nowNanos));
    }

    /// Compares what the copy has with what a token names.
    public Fit fit(FreshnessToken token) {
        if (token instanceof FreshnessToken.Time(Instant at)) {
            return asOf.filter(has -> !has.isBefore(at)).isPresent() ? Fit.SEEN : Fit.NOT_YET;
        }
        if (moment.isEmpty()) return Fit.NOT_YET;
        SourceMoment taken = moment.get();
        return switch (token) {
            case FreshnessToken.Transaction(String system, long number) -> {
                if (!taken.history().isOf(system)) yield Fit.OTHER_SYSTEM;
                yield fit(taken.visible()
                        .filter(visible -> visible.hasEnded(number))
                        .isPresent());
            }
            case FreshnessToken.LogPosition(String system, long timeline, long at) -> {
                if (!taken.history().isOf(system)) yield Fit.OTHER_SYSTEM;
                if (!taken.history().isOf(timeline)) yield fit(timeline, taken);
                yield fit(settledLog.isPresent() && Long.compareUnsigned(settledLog.getAsLong(), at) >= 0);
            }
            case Answer answer -> {
                if (!taken.history().isOf(answer.system())) yield Fit.OTHER_SYSTEM;
                if (!taken.history().isOf(answer.timeline())) yield fit(answer.timeline(), taken);
                yield fit(hasSeen(answer, taken));
            }
            case FreshnessToken.Time _ -> throw new IllegalStateException("compared above");
        };
    }

    /// See [Answer] for why this order is that of the snapshots. A standby does not tell which transactions ran, so
    /// there only the end of all of them proves it.
    private static boolean hasSeen(Answer answer, SourceMoment taken) {
        return taken.visible()
                .filter(visible -> {
                    if (visible.lowest() >= answer.next()) return true;
                    if (!visible.isListed() || answer.running() == Answer.UNLISTED) return false;
                    boolean isLater = visible.next() > answer.next();
                    return isLater
                            || visible.next() == answer.next()
                                    && visible.running().size() <= answer.running();
                })
                .isPresent();
    }

    /// A failover begins a later timeline. A copy that has not been synced since has not seen what happened there.
    private static Fit fit(long timeline, SourceMoment taken) {
        return timeline > taken.history().timeline() ? Fit.NOT_YET : Fit.OTHER_TIMELINE;
    }

    private static Fit fit(boolean isSeen) {
        return isSeen ? Fit.SEEN : Fit.NOT_YET;
    }
}
