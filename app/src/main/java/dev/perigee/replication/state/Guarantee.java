package dev.perigee.replication.state;

import dev.perigee.config.TableConfig;
import dev.perigee.config.Units;
import dev.perigee.source.Horizon;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What is promised about a copy, in the words of the status. Never more than holds.
public final class Guarantee {
    /// Nothing is promised before everything was fetched once.
    public static final String LOADING = "loading";

    /// The last sync failed: the copy stands where `completeAsOf` says.
    public static final String BEHIND = "behind";

    /// Every row that was committed at `completeAsOf` is in the copy, as far as its cursor moved; proved by the
    /// source's open transactions.
    public static final String COMPLETE = "complete";

    public static final String SETTLED = "settled";
    /// The source went back or was replaced, and rows from before are still being mended.
    public static final String RECOVERING = "recovering";

    private static final String OF_SIGHT = " of what ";

    private Guarantee() {}

    /// Nothing is promised of columns that were added, until the rows that were there before have them too.
    public static String filling(ColumnBackfill backfill) {
        return "filling(%s)".formatted(String.join(", ", backfill.columns()));
    }

    /// A verification found rows that are not as they are at the source, and nobody has had them mended since.
    public static String different(long rows) {
        return "different(%d)".formatted(rows);
    }

    /// Rows could not be stored: what would otherwise hold does not hold for them.
    public static String incomplete(long setAside) {
        return "incomplete(%d)".formatted(setAside);
    }

    /// As [#COMPLETE], for rows that are committed within `settle` of taking their cursor's value.
    static String settled(Duration settle) {
        return SETTLED + "(%s)".formatted(Units.text(settle));
    }

    /// Which promise it is, without its time, its rows or whose sight it is of.
    public static String word(String guarantee) {
        return guarantee.replaceFirst("(" + OF_SIGHT + "|\\().*", "");
    }

    /// The same promise, of the rows that a role of the source sees.
    ///
    /// @param viewer see [dev.perigee.source.Snapshot#viewer]
    public static String seenBy(String guarantee, Optional<String> viewer) {
        return viewer.map(role -> "%s%s%s sees".formatted(guarantee, OF_SIGHT, role))
                .orElse(guarantee);
    }

    /// Whether cursor values are as old as their transactions at most: else rows may come late that no horizon shows.
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

    /// Where only a settle time is promised, a verification says more: nothing was lost until then.
    ///
    /// @param verifiedAt the source's time of the last verification that found or made the copy right
    public static String withProof(String guarantee, Optional<Instant> verifiedAt) {
        if (!guarantee.startsWith(SETTLED)) return guarantee;
        // What was compared is what the role sees too.
        int sight = guarantee.indexOf(OF_SIGHT);
        String ofSight = sight < 0 ? "" : guarantee.substring(sight);
        return verifiedAt.map(at -> "verified(%s)%s".formatted(at, ofSight)).orElse(guarantee);
    }
}
