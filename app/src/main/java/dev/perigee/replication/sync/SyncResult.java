package dev.perigee.replication.sync;

import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import java.util.Optional;
import java.util.Set;

/// What one sync of one table did. After a failure the counts are those of the pages that were committed before it, and
/// the cursor stands at the last of them.
///
/// @param table the name it is configured by
/// @param unchanged rows the source sent that the copy already had
/// @param ms how long it took
public record SyncResult(
        String table, long inserted, long updated, long deleted, long unchanged, long ms, Optional<Problem> error) {

    public static SyncResult of(String table, RowCounts counts, long ms, Optional<Problem> error) {
        return new SyncResult(
                table, counts.inserted(), counts.updated(), counts.deleted(), counts.unchanged(), ms, error);
    }

    /// Both syncs as one, of which `next` came later.
    SyncResult plus(SyncResult next) {
        return new SyncResult(
                table,
                inserted + next.inserted,
                updated + next.updated,
                deleted + next.deleted,
                unchanged + next.unchanged,
                ms + next.ms,
                next.error);
    }

    /// The same result, where it failed with one of these faults with another remedy.
    public SyncResult advising(Set<Fault> faults, String toFix) {
        Optional<Problem> advised = error.map(problem ->
                faults.stream().anyMatch(fault -> fault.name().equals(problem.fault()))
                        ? problem.advising(toFix)
                        : problem);
        return new SyncResult(table, inserted, updated, deleted, unchanged, ms, advised);
    }

    public boolean succeeded() {
        return error.isEmpty();
    }

    /// Rows the source sent.
    public long pulled() {
        return inserted + updated + unchanged;
    }
}
