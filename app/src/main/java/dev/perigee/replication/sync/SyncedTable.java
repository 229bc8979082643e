package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.state.Sealing;
import dev.perigee.replication.state.SyncOutcome;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Identity;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableDefinition;
import dev.perigee.source.WatchedTable;
import java.util.Optional;

/// What is known about a table after a sync that succeeded, by which later looks at the source can tell that another
/// sync would find nothing.
///
/// @param table as it was described
/// @param version everything committed in it is in the copy; empty where no version of the source tells whether the
///     table changed
/// @param watched empty where only a sync can tell whether the table changed
public record SyncedTable(SourceTable table, Optional<SourceVersion.At> version, Optional<WatchedTable> watched) {
    /// @param shown the version that the sync's snapshot showed
    /// @param seen the greatest mark pulled
    /// @param identity the source's identity in the sync's snapshot
    /// @param hasOnlyWholeKeys whether no row may have a key with a NULL in it, or one that it shares with another
    /// @param isFilled whether no columns are left to fill and no rows are set aside
    static SyncedTable of(
            SyncPlan plan,
            Optional<SourceVersion> shown,
            SyncOutcome outcome,
            Optional<HighWaterMark> seen,
            Optional<Identity> identity,
            boolean hasOnlyWholeKeys,
            boolean isFilled) {
        SourceTable table = plan.table();
        // Rows that are set aside are tried again, and columns are filled, by syncs that find nothing else.
        if (!isFilled || !isOfTransactions(table) || table.access().isFiltered()) {
            return new SyncedTable(table, Optional.empty(), Optional.empty());
        }
        Optional<SourceVersion.At> version =
                outcome.completeAsOf().flatMap(at -> shown.map(one -> new SourceVersion.At(one, at)));
        boolean isWatched = plan.config().mode() == TableConfig.Mode.CURSOR
                && shown.isPresent()
                && hasOnlyWholeKeys
                && hasOwnNames(table)
                && outcome.obstacles().stream().noneMatch(one -> one.effect() == Obstacle.Effect.DEARER);
        return new SyncedTable(
                table, version, isWatched ? Optional.of(watched(plan, outcome, seen, identity)) : Optional.empty());
    }

    /// The same, with the definition that was read before the sync.
    public SyncedTable definedAs(TableDefinition before) {
        return new SyncedTable(table, version, watched.map(one -> one.definedAs(before)));
    }

    /// The same, as of a later version that was found to have nothing new.
    public SyncedTable unchangedAt(SourceVersion.At later, Optional<WatchedTable> confirmed) {
        return new SyncedTable(table, Optional.of(later), confirmed);
    }

    /// Whether only transactions of the source itself change the rows. What a view or a foreign table shows may depend
    /// on the time, on settings or on other servers.
    private static boolean isOfTransactions(SourceTable table) {
        return table.kind() != SourceTable.Kind.VIEW && table.kind() != SourceTable.Kind.FOREIGN_TABLE;
    }

    /// Whether the texts of its values depend on no names of other objects, as those of a `regclass` do.
    private static boolean hasOwnNames(SourceTable table) {
        return table.parts().values().stream()
                .flatMap(parts -> parts.keySet().stream())
                .noneMatch(part -> part.startsWith("r"));
    }

    private static WatchedTable watched(
            SyncPlan plan, SyncOutcome outcome, Optional<HighWaterMark> seen, Optional<Identity> identity) {
        String cursor = plan.config().cursorColumn().orElseThrow();
        Sealing sealing = outcome.sealing();
        Optional<WatchedTable.Late> late = seen.filter(sealing::isOpen)
                .map(greatest -> new WatchedTable.Late(
                        new Scope.Late(cursor, sealing.sealed(), greatest, sealing.lookedSince()),
                        horizon -> isSealable(plan, outcome, horizon)));
        return new WatchedTable(
                plan.table(),
                cursor,
                plan.definition().key(),
                seen,
                sealing.lookedSince(),
                late,
                plan.table()
                        .column(cursor)
                        .flatMap(column ->
                                identity.map(now -> now.table().sequences().get(column.identity()))),
                TableDefinition.UNKNOWN,
                Optional.empty());
    }

    private static boolean isSealable(SyncPlan plan, SyncOutcome outcome, Horizon horizon) {
        TableConfig config = plan.config();
        boolean isStamped = Guarantee.isStamped(config, plan.table(), outcome.isClientSeen());
        return outcome.sealing().isSealable(SnapshotOutcome.sealing(config, horizon, isStamped));
    }
}
