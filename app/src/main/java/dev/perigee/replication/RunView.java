package dev.perigee.replication;

import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Run;
import java.time.Instant;
import java.util.Optional;

/// One run (of a sync, a resync, a sweep or a backfill), as `GET /replication/runs` shows it.
///
/// @param kind `sync`, `resync`, `sweep` or `backfill`
/// @param outcome `running`, `ok`, `failed`, `stopped` or `interrupted`
/// @param ms how long the run took, or has taken so far, in milliseconds
/// @param cursor where the table's cursor stood after the run
/// @param note what else happened, such as a change of the source's definition that the run followed
public record RunView(
        long id,
        String table,
        String kind,
        String outcome,
        Instant startedAt,
        Optional<Instant> finishedAt,
        long ms,
        long inserted,
        long updated,
        long deleted,
        long unchanged,
        long pages,
        Optional<String> cursor,
        Optional<Error> error,
        Optional<String> note) {

    /// Why the run failed.
    public record Error(String fault, String message) {}

    static RunView of(Run run, Instant now) {
        RowCounts counts = run.work().counts();
        return new RunView(
                run.id(),
                run.table(),
                ConfigRecords.word(run.kind()),
                ConfigRecords.word(run.end().outcome()),
                run.startedAt(),
                run.end().at(),
                run.durationMs(run.end().at().orElse(now)),
                counts.inserted(),
                counts.updated(),
                counts.deleted(),
                counts.unchanged(),
                run.work().pages(),
                run.work().cursor(),
                run.end().error().map(problem -> new Error(problem.fault(), problem.message())),
                run.note());
    }
}
