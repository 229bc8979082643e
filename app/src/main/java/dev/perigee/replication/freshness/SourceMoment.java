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

/// A snapshot of the source, as far as it says how fresh a copy is. One object serves all tables that were looked at in
/// the snapshot.
///
/// @param asOf a time by the source's clock up to which the snapshot has everything that was committed; empty where the
///     source does not know
/// @param takenNanos [System#nanoTime] before the snapshot was taken. Ages are measured by it, so that the source's
///     clock does not matter
/// @param lag how old the snapshot was when it was taken: zero, except on a standby that has replayed less
/// @param visible the transactions that it sees; empty where the source does not tell
/// @param log a position of the source's log that is not before anything that the snapshot sees
/// @param system the source's system identifier; [FreshnessToken#UNKNOWN_SYSTEM] where it does not tell
/// @param timeline the history that the source follows; 0 where it does not tell
public record SourceMoment(
        Optional<Instant> asOf,
        long takenNanos,
        Duration lag,
        Optional<VisibleTransactions> visible,
        OptionalLong log,
        String system,
        long timeline) {

    /// @param server the source's identity in this snapshot
    /// @param takenNanos [System#nanoTime] before the snapshot was taken
    /// @param takenAt our clock at that time
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
                snapshot.position().map(SourceMoment::position).orElse(OptionalLong.empty()),
                server.flatMap(Identity.Server::system).orElse(FreshnessToken.UNKNOWN_SYSTEM),
                server.flatMap(Identity.Server::timeline).orElse(0L));
    }

    /// How old it was at a time: what it does not have was committed at most this long before.
    ///
    /// @param nowNanos that time by [System#nanoTime]
    public Duration age(long nowNanos) {
        return Duration.ofNanos(Math.max(0, nowNanos - takenNanos)).plus(lag);
    }

    /// The token for everything that the snapshot has seen; empty where the source does not tell.
    public Optional<Answer> position() {
        return visible.map(seen -> new Answer(
                system, timeline, seen.next(), seen.isListed() ? seen.running().size() : Answer.UNLISTED));
    }

    private static OptionalLong position(String text) {
        try {
            return OptionalLong.of(FreshnessToken.position(text));
        } catch (NumberFormatException _) {
            return OptionalLong.empty(); // another kind of source
        }
    }
}
