package dev.perigee.replication.freshness;

import dev.perigee.source.Identity;
import dev.perigee.source.Snapshot;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.statement.FreshnessToken;
import dev.perigee.statement.FreshnessToken.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// A snapshot of the source, as far as it says how fresh a copy is. One object serves all tables that were looked at in
/// the snapshot. Safe for many threads.
public final class SourceMoment {
    private final Optional<Instant> asOf;
    private final long takenNanos;
    private final Duration lag;
    private final Optional<VisibleTransactions> visible;
    private final OptionalLong log;
    private final History history;

    // Made when they are needed first: most moments are never shown.
    private volatile @Nullable String position;
    private volatile @Nullable String time;

    /// @param asOf a time by the source's clock up to which the snapshot has everything that was committed; empty where
    ///     the source does not know
    /// @param takenNanos [System#nanoTime] before the snapshot was taken. Ages are measured by it, so that the source's
    ///     clock does not matter
    /// @param lag how old the snapshot was when it was taken: zero, except on a standby that has replayed less
    /// @param visible the transactions that it sees; empty where the source does not tell
    /// @param log a position of the source's log that is not before anything that the snapshot sees
    SourceMoment(
            Optional<Instant> asOf,
            long takenNanos,
            Duration lag,
            Optional<VisibleTransactions> visible,
            OptionalLong log,
            History history) {
        this.asOf = asOf;
        this.takenNanos = takenNanos;
        this.lag = lag;
        this.visible = visible;
        this.log = log;
        this.history = history;
    }

    /// The moment of a snapshot whose transactions were all applied from the source's log.
    ///
    /// @param asOf a time by the source's clock up to which the snapshot has everything that was committed
    /// @param takenNanos [System#nanoTime] before the snapshot was taken
    /// @param log a position of the log that is not before anything that the snapshot sees
    public static SourceMoment ofLog(
            VisibleTransactions visible, Instant asOf, long takenNanos, long log, History history) {
        return new SourceMoment(
                Optional.of(asOf), takenNanos, Duration.ZERO, Optional.of(visible), OptionalLong.of(log), history);
    }

    /// @param server the source's identity in this snapshot
    /// @param takenNanos [System#nanoTime] before the snapshot was taken
    /// @param takenAt our clock at that time, or later
    public static SourceMoment of(
            Snapshot snapshot, Optional<Identity.Server> server, long takenNanos, Instant takenAt) {
        boolean isStandby = server.map(Identity.Server::isStandby).orElse(false);
        // A standby says up to when it has replayed, by the primary's clock. No other clock can be compared with it.
        Duration lag = isStandby
                ? snapshot.asOf()
                        .map(until -> Duration.between(until, takenAt))
                        .filter(Duration::isPositive)
                        .orElse(Duration.ZERO)
                : Duration.ZERO;
        return new SourceMoment(
                snapshot.asOf(),
                takenNanos,
                lag,
                snapshot.visible(),
                snapshot.position().map(SourceMoment::log).orElse(OptionalLong.empty()),
                History.of(server));
    }

    /// A look at the same server, later in the same history.
    SourceMoment later(VisibleTransactions seen, Instant seenAsOf, long nanos) {
        return new SourceMoment(
                Optional.of(seenAsOf), nanos, Duration.ZERO, Optional.of(seen), OptionalLong.empty(), history);
    }

    Optional<Instant> asOf() {
        return asOf;
    }

    long takenNanos() {
        return takenNanos;
    }

    Optional<VisibleTransactions> visible() {
        return visible;
    }

    OptionalLong log() {
        return log;
    }

    History history() {
        return history;
    }

    /// How old it was at a time: what it does not have was committed at most this long before.
    ///
    /// @param nowNanos that time by [System#nanoTime]
    Duration age(long nowNanos) {
        return Duration.ofNanos(Math.max(0, nowNanos - takenNanos)).plus(lag);
    }

    /// The [Answer] for everything that the snapshot has seen, as text; empty text where the source does not tell.
    String position() {
        String known = position;
        if (known == null) {
            known = visible.map(seen -> new Answer(
                                    history.system(),
                                    history.timeline(),
                                    seen.next(),
                                    seen.isListed() ? seen.running().size() : Answer.UNLISTED)
                            .toString())
                    .orElse("");
            position = known;
        }
        return known;
    }

    /// `asOf` as text; empty text where it is not known.
    String time() {
        String known = time;
        if (known == null) {
            known = asOf.map(Instant::toString).orElse("");
            time = known;
        }
        return known;
    }

    private static OptionalLong log(String text) {
        try {
            return OptionalLong.of(FreshnessToken.position(text));
        } catch (NumberFormatException _) {
            return OptionalLong.empty(); // another kind of source
        }
    }
}
