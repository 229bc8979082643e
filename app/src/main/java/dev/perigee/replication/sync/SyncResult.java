package dev.perigee.replication.sync;

import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.Problem;
import java.util.Optional;
import java.util.Set;

/// What one sync of one table did. After a failure the counts are those of the pages committed before it, and the
/// cursor stands at the last of these pages.
///
/// @param table the configured name of the table
/// @param unchanged rows that the source sent and that the copy already had
/// @param ms how long the sync took
/// @param error why it failed; empty if it succeeded
public record SyncResult(
        String table, long inserted, long updated, long deleted, long unchanged, long ms, Optional<Problem> error) {

    public static SyncResult of(String table, RowCounts counts, long ms, Optional<Problem> error) {
        return new SyncResult(
                table, counts.inserted(), counts.updated(), counts.deleted(), counts.unchanged(), ms, error);
    }

    /// Both results added up, of which `next` is the later.
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

    /// The same result. If it failed with one of `faults`, its remedy is replaced by `toFix`.
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

    /// Rows that the source sent, as [RowCounts#pulled] counts them.
    public long pulled() {
        return inserted + updated + unchanged;
    }
}
