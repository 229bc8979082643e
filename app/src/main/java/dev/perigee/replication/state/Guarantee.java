package dev.perigee.replication.state;

import dev.perigee.config.TableConfig;
import dev.perigee.config.Units;
import dev.perigee.source.Horizon;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// The words of the status for what is promised about a copy. The status never promises more than holds.
public final class Guarantee {
    /// Not all rows were fetched yet, so nothing is promised.
    public static final String LOADING = "loading";

    /// The last sync failed, or the replica cannot be written. The copy is as of `completeAsOf`.
    public static final String BEHIND = "behind";

    /// The copy has every row that was committed at `completeAsOf`, except changes that did not move the row's cursor.
    /// The source's open transactions prove it.
    public static final String COMPLETE = "complete";

    public static final String SETTLED = "settled";
    /// The source went back or was replaced, and the rows from before are still being repaired.
    private static final String RECOVERING = "recovering";

    private static final String OF_SIGHT = " of what ";

    private Guarantee() {}

    /// Columns were added, and nothing is promised about them until all earlier rows have them too.
    static String filling(ColumnBackfill backfill) {
        return "filling(%s)".formatted(String.join(", ", backfill.columns()));
    }

    /// What is said instead of the promise while a copy lacks something although its syncs succeed.
    public static Optional<String> lackedBy(TableState.Gaps gaps) {
        if (gaps.isRecovering()) return Optional.of(RECOVERING);
        if (gaps.backfill().isPresent()) return gaps.backfill().map(Guarantee::filling);
        return gaps.setAside() > 0 ? Optional.of(incomplete(gaps.setAside())) : Optional.empty();
    }

    /// A verification found this many rows that differ from the source, and they were not repaired since.
    public static String different(long rows) {
        return "different(%d)".formatted(rows);
    }

    /// This many rows could not be stored. Nothing is promised about them.
    public static String incomplete(long setAside) {
        return "incomplete(%d)".formatted(setAside);
    }

    /// As [#COMPLETE], but only for rows that are committed within `settle` of taking their cursor value.
    static String settled(Duration settle) {
        return SETTLED + "(%s)".formatted(Units.text(settle));
    }

    /// The bare word of a promise, without its time, its number of rows or the role that it holds for.
    public static String word(String guarantee) {
        return guarantee.replaceFirst("(" + OF_SIGHT + "|\\().*", "");
    }

    /// The same promise, limited to the rows that a role of the source sees.
    ///
    /// @param viewer see [dev.perigee.source.Snapshot#viewer]; empty where all rows are read
    public static String seenBy(String guarantee, Optional<String> viewer) {
        return viewer.map(role -> "%s%s%s sees".formatted(guarantee, OF_SIGHT, role))
                .orElse(guarantee);
    }

    /// Whether a cursor value is never older than the transaction that wrote it. Otherwise rows may come late that the
    /// horizon does not show.
    ///
    /// @param isClientSeen whether a cursor value was ever ahead of the source's own clock or sequence
    public static boolean isStamped(TableConfig config, SourceTable table, boolean isClientSeen) {
        return switch (config.stampedBy()) {
            case SOURCE -> true;
            case CLIENT -> false;
            case AUTO ->
                !isClientSeen
                        && table.column(config.cursorColumn().orElseThrow())
                                .map(SourceColumn::isStamped)
                                .orElse(false);
        };
    }

    public static String of(TableConfig config, SourceTable table, Horizon.Sight sight, boolean isClientSeen) {
        if (sight == Horizon.Sight.ONE_OF_MANY) return settled(config.settle());
        if (config.cursorColumn().isEmpty()) return COMPLETE;
        boolean isProved = sight == Horizon.Sight.ALL && isStamped(config, table, isClientSeen);
        return isProved ? COMPLETE : settled(config.settle());
    }

    /// Replaces the promise [#SETTLED] by `verified(…)` where the copy was verified: at that time no row was missing.
    /// Other promises stay.
    ///
    /// @param verifiedAt the source's time of the last verification that found the copy equal or made it so
    public static String withProof(String guarantee, Optional<Instant> verifiedAt) {
        if (!guarantee.startsWith(SETTLED)) return guarantee;
        // A verification compares only the rows that the role sees, so the limit to the role stays.
        int sight = guarantee.indexOf(OF_SIGHT);
        String ofSight = sight < 0 ? "" : guarantee.substring(sight);
        return verifiedAt.map(at -> "verified(%s)%s".formatted(at, ofSight)).orElse(guarantee);
    }
}
