package dev.perigee.replication.sync;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;

/// Decides when a removal of rows needs an admin's confirmation. It does if more than the allowed share of the copy
/// (`maxDeletedShare`) would go, and at least [#MIN_ROWS] rows or all of them. Sweeps, repairs, backfills, and syncs
/// that replace the copy of a filtered table ask it.
///
/// @param rows the number of rows in the copy
/// @param confirmed the number of rows whose removal an admin has confirmed; 0 for none
public record MassDeleteGuard(TableConfig config, long rows, long confirmed) {
    /// Fewer rows than this are removed without asking, whatever their share, unless no row would be left.
    static final long MIN_ROWS = 1000;

    /// Whether removing `found` rows needs a confirmation that was not given. Since a confirmation, the number may have
    /// grown by [#MIN_ROWS] or by the allowed share, whichever is more.
    public boolean isAgainst(long found) {
        boolean isNoteworthy = found >= MIN_ROWS || (found > 0 && found >= rows);
        return isNoteworthy
                && found > config.maxDeletedShare() * rows
                && (confirmed == 0 || found > confirmed + Math.max(MIN_ROWS, config.maxDeletedShare() * rows));
    }

    /// The fault for rows that are gone at the source.
    ///
    /// @param found the number of rows to be removed
    /// @param state the state in which things were left, such as "Nothing was removed"
    /// @param confirming the command that confirms the removal, as an imperative clause
    public PerigeeException fault(long found, String state, String confirming) {
        return fault(
                found,
                state,
                "check whether the source really lost these rows; if it did, %s, or repeat the request with `\"confirm\": true`"
                        .formatted(confirming),
                "gone at the source");
    }

    /// The fault for rows that the source no longer shows. Policies may hide them, or they may be gone: Perigee cannot
    /// tell which.
    PerigeeException hidden(long found) {
        return fault(
                found,
                "The copy stays as it is",
                "check whether the source's user is meant to see that many fewer rows; if so, "
                        + Remedies.resync(config.name()),
                "no longer seen at the source");
    }

    private PerigeeException fault(long found, String state, String remedy, String how) {
        return Fault.MASS_DELETE.in(
                "table " + config.name(),
                "%d of the %d rows of its copy are %s, and `maxDeletedShare` allows a share of %s to be removed without asking"
                        .formatted(found, rows, how, config.maxDeletedShare()),
                state,
                remedy);
    }
}
