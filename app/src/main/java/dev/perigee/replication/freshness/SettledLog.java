package dev.perigee.replication.freshness;

import dev.perigee.source.VisibleTransactions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Finds the position of the source's log before which every commit is visible to a snapshot. Safe for many threads.
///
/// A snapshot's own position does not tell. PostgreSQL writes a commit to its log first, and shows it to others a
/// moment later: when the log is flushed, or when a standby has confirmed it. So a commit may lie before the position
/// and still be invisible. But such a transaction had its number when it wrote its commit. Take a position, and after
/// it a snapshot: each transaction whose commit lies before the position has a number below the snapshot's `next`. Once
/// a snapshot shows that all of those have ended, everything before the position is visible to it. While nothing runs,
/// that is the same snapshot, so two snapshots suffice; otherwise one more.
final class SettledLog {
    /// Positions that are remembered. The oldest is forgotten first: a later one takes its place once it is settled.
    private static final int MAX_KEPT = 64;

    /// @param knownNanos when it was known, by the clock of [SourceMoment#takenNanos]
    private record Known(long position, long knownNanos) {}

    /// Every transaction whose commit lies before `position` has a number below `next`.
    private record Step(long position, long next) {}

    private final Deque<Known> known = new ArrayDeque<>();
    private final Deque<Step> steps = new ArrayDeque<>();
    private @Nullable History history;

    /// Takes a snapshot into account.
    ///
    /// @param nowNanos [System#nanoTime] now
    /// @return the position before which every commit is visible to the snapshot; empty if that is not known yet
    synchronized OptionalLong saw(SourceMoment moment, long nowNanos) {
        if (!moment.history().equals(history)) {
            known.clear();
            steps.clear();
            history = moment.history();
        }
        OptionalLong settled = moment.visible()
                .map(visible -> settled(moment.takenNanos(), visible))
                .orElse(OptionalLong.empty());
        moment.log().ifPresent(position -> add(known, new Known(position, nowNanos)));
        return settled;
    }

    private OptionalLong settled(long takenNanos, VisibleTransactions visible) {
        known.stream()
                .filter(one -> one.knownNanos() - takenNanos < 0)
                .mapToLong(Known::position)
                .max()
                .ifPresent(position -> add(steps, new Step(position, visible.next())));
        return steps.stream()
                .filter(step -> step.next() <= visible.lowest())
                .mapToLong(Step::position)
                .max();
    }

    private static <T> void add(Deque<T> kept, T one) {
        if (kept.size() == MAX_KEPT) kept.removeFirst();
        kept.addLast(one);
    }
}
