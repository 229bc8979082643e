package dev.perigee.replication;

import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Run;
import java.time.Instant;
import java.util.Optional;

/// One run, as `GET /replication/runs` shows it.
///
/// @param kind `sync` or `resync`
/// @param outcome `running`, `ok`, `failed`, `stopped` or `interrupted`
/// @param ms how long it took, or takes so far
/// @param cursor where the cursor stood after it
/// @param note what else happened, such as a change of the source's definition that it followed
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

    /// Why it failed.
    public record Error(String fault, String message) {}

    static RunView of(Run run, Instant now) {
        RowCounts counts = run.counts();
        return new RunView(
                run.id(),
                run.table(),
                ConfigRecords.word(run.kind()),
                ConfigRecords.word(run.outcome()),
                run.startedAt(),
                run.finishedAt(),
                run.durationMs(run.finishedAt().orElse(now)),
                counts.inserted(),
                counts.updated(),
                counts.deleted(),
                counts.unchanged(),
                run.pages(),
                run.cursor(),
                run.error().map(problem -> new Error(problem.fault(), problem.message())),
                run.note());
    }
}
