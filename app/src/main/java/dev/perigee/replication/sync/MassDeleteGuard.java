package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;

/// When a sweep, a repair, a backfill, or a sync that fetches all that a filtered table shows, must ask first: it would
/// remove more than the share of the copy that an admin allows, and many rows, or all of them.
///
/// @param rows of the copy
/// @param confirmed rows that an admin allowed to be removed beyond that; 0 for none
public record MassDeleteGuard(TableConfig config, long rows, long confirmed) {
    /// Fewer rows than that are removed without asking, whatever share they are, unless none would be left.
    static final long MIN_ROWS = 1000;

    /// Whether removing `found` rows needs a person's word that is not there. What was confirmed may have grown since
    /// by as many rows as need no word.
    public boolean isAgainst(long found) {
        boolean isNoteworthy = found >= MIN_ROWS || (found > 0 && found >= rows);
        return isNoteworthy
                && found > config.maxDeletedShare() * rows
                && (confirmed == 0 || found > confirmed + Math.max(MIN_ROWS, config.maxDeletedShare() * rows));
    }

    /// @param confirming what confirms it, as a command
    public PerigeeException fault(long found, String state, String confirming) {
        return fault(
                found,
                state,
                "look whether the source really lost these rows; if it did, %s, or repeat the request with `\"confirm\": true`"
                        .formatted(confirming),
                "gone at the source");
    }

    /// Of rows that policies of the source hide now, or that are gone there: nobody can tell which from here.
    PerigeeException hidden(long found) {
        return fault(
                found,
                "The copy stays as it is",
                "look whether the source's user is to see so many rows less; if it is, "
                        + Remedies.resync(config.name()),
                "no longer seen at the source");
    }

    private PerigeeException fault(long found, String state, String remedy, String how) {
        return Fault.MASS_DELETE.in(
                "table " + config.name(),
                "%d of the %d rows of its copy are %s, and `maxDeletedShare` lets %s of them be removed without asking"
                        .formatted(found, rows, how, config.maxDeletedShare()),
                state,
                remedy);
    }
}
