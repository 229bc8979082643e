package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.state.Sealing;
import dev.perigee.replication.state.SyncOutcome;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.Obstacle.Effect;
import dev.perigee.source.Snapshot;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// Works out where a table stands after everything in a snapshot was pulled: how far it is sealed, and what is promised
/// about the copy.
final class SnapshotOutcome {
    private final SyncPlan plan;
    private final Snapshot snapshot;

    SnapshotOutcome(SyncPlan plan, Snapshot snapshot) {
        this.plan = plan;
        this.snapshot = snapshot;
    }

    /// The outcome of a sync in mode `cursor`.
    ///
    /// @param seen the greatest mark pulled, by this sync or an earlier one
    /// @param hasLooked whether the sync looked for rows that came late, or none can have
    SyncOutcome ofCursor(String cursor, Optional<HighWaterMark> seen, boolean hasLooked) {
        TableConfig config = plan.config();
        Sealing before = plan.start().sealing();
        Optional<Snapshot.Limit> limit = seen.map(greatest -> snapshot.limit(plan.table(), cursor, greatest));
        boolean isClientSeen = plan.start().isClientSeen()
                || limit.map(Snapshot.Limit::isAhead).orElse(false);
        boolean isStamped = Guarantee.isStamped(config, plan.table(), isClientSeen);
        Moment now = snapshot.moment();
        Optional<HighWaterMark> sealable = limit.flatMap(Snapshot.Limit::mark);
        Sealing sealing = hasLooked
                ? before.looked(now, sealable, sealing(config, snapshot.horizon(), isStamped))
                : before.remembering(now, sealable);
        return of(sealing, isClientSeen, hasLooked);
    }

    /// Whether a table is sealed up to what was seen at an earlier moment.
    ///
    /// @param isStamped see [Guarantee#isStamped]
    static Predicate<Moment> sealing(TableConfig config, Horizon horizon, boolean isStamped) {
        return earlier ->
                horizon.seals(earlier, config.settle()) && (isStamped || horizon.hasSettled(earlier, config.settle()));
    }

    /// The outcome of a sync that pulled all rows, or all that changed since the last sync.
    SyncOutcome ofEverything() {
        Sealing sealing =
                new Sealing(Optional.empty(), Optional.of(snapshot.moment().mark()), List.of());
        return of(sealing, plan.start().isClientSeen(), true);
    }

    private SyncOutcome of(Sealing sealing, boolean isClientSeen, boolean hasLooked) {
        TableConfig config = plan.config();
        return new SyncOutcome(
                sealing,
                hasLooked ? snapshot.asOf() : Optional.empty(),
                snapshot.position(),
                Optional.of(Guarantee.seenBy(
                        Guarantee.of(config, plan.table(), snapshot.horizon().sight(), isClientSeen),
                        snapshot.viewer(plan.table()))),
                sealing.open().isEmpty() ? Optional.empty() : snapshot.horizon().oldest(),
                isClientSeen,
                // In mode `full` all rows are read by choice, so nothing makes that more expensive.
                snapshot.obstacles(plan.table()).stream()
                        .filter(one -> config.mode() != TableConfig.Mode.FULL || one.effect() != Effect.DEARER)
                        .toList());
    }
}
