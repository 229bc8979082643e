package dev.perigee.replication;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Run;
import java.time.Instant;
import java.util.Optional;

/// One run (of a sync, a resync, a sweep or a backfill), as `GET /replication/runs` shows it.
///
/// @param kind `sync`, `resync`, `sweep` or `backfill`
/// @param outcome `running`, `ok`, `failed`, `stopped` or `interrupted`
/// @param cursor where the table's cursor stood after the run
/// @param note what else happened, such as a change of the source's definition that the run followed
public record RunView(
        long id,
        String table,
        String kind,
        String outcome,
        @JsonUnwrapped Times times,
        @JsonUnwrapped Rows rows,
        long pages,
        Optional<String> cursor,
        Optional<Error> error,
        Optional<String> note) {

    /// When the run was.
    ///
    /// @param ms how long the run took, or has taken so far, in milliseconds
    public record Times(Instant startedAt, Optional<Instant> finishedAt, long ms) {}

    /// How many rows of the copy the run changed.
    ///
    /// @param unchanged rows that the source sent and that the copy already had
    public record Rows(long inserted, long updated, long deleted, long unchanged) {
        private static Rows of(RowCounts counts) {
            return new Rows(counts.inserted(), counts.updated(), counts.deleted(), counts.unchanged());
        }
    }

    /// Why the run failed.
    public record Error(String fault, String message) {}

    static RunView of(Run run, Instant now) {
        Optional<Instant> finishedAt = run.end().at();
        return new RunView(
                run.id(),
                run.table(),
                ConfigRecords.word(run.kind()),
                ConfigRecords.word(run.end().outcome()),
                new Times(run.startedAt(), finishedAt, run.durationMs(finishedAt.orElse(now))),
                Rows.of(run.work().counts()),
                run.work().pages(),
                run.work().cursor(),
                run.end().error().map(problem -> new Error(problem.fault(), problem.message())),
                run.note());
    }
}
