package dev.perigee.replication;

import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.sync.SyncResult;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/// Starts the syncs that waiting readers need: at most one of a table at a time, and not before some time has passed
/// since the one before began. So any number of readers that wait cost the source one sync. Safe for many threads.
final class DemandedSyncs {
    private final CopyFreshness freshness;
    private final Map<String, Last> last = new ConcurrentHashMap<>();

    /// The last sync of a table that a reader asked for.
    private record Last(CompletableFuture<SyncResult> result, long beganNanos) {}

    /// @param freshness wakes the readers when a sync has ended
    DemandedSyncs(CopyFreshness freshness) {
        this.freshness = freshness;
    }

    /// Starts a sync of the table, or joins one that runs. Does nothing if the last one that was asked for still runs,
    /// or began less than `pause` ago. Does not wait. The readers are woken when it has ended.
    ///
    /// @return how long to wait before asking again would do something; `pause` while a sync runs
    Duration ask(TableRunner table, Duration pause) {
        long now = System.nanoTime();
        Last kept = last.compute(table.name(), (_, before) -> {
            boolean isRunning = before != null && !before.result().isDone();
            if (isRunning || before != null && now - before.beganNanos() < pause.toNanos()) return before;
            return new Last(table.sync().whenComplete((_, _) -> freshness.wake(table.name())), now);
        });
        Duration rest = Duration.ofNanos(pause.toNanos() - (now - kept.beganNanos()));
        return kept.result().isDone() && rest.isPositive() ? rest : pause;
    }

    /// Forgets a table that is no longer replicated.
    void forget(String table) {
        last.remove(table);
    }
}
