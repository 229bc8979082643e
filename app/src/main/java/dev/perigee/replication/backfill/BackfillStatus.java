package dev.perigee.replication.backfill;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.Progress;
import java.time.Instant;
import java.util.Optional;

/// How far a backfill is, as the status and the events show it.
///
/// @param state `running`; `waiting` until an admin confirms or cancels it; `failing` and being tried again; `done` or
///     `cancelled`
/// @param run its number in `tmp_replication_runs`
/// @param phase see [Backfill.Phase]
/// @param scope which rows are fetched: its fields stand beside the others in JSON, as those of `counts` do
/// @param progress the progress of the phase
public record BackfillStatus(
        String state,
        long run,
        String phase,
        @JsonUnwrapped BackfillScope scope,
        Instant startedAt,
        Progress progress,
        @JsonUnwrapped RowCounts counts,
        Optional<Problem> error) {

    static BackfillStatus of(Backfill backfill, String state, Progress progress) {
        return new BackfillStatus(
                state,
                backfill.run(),
                ConfigRecords.word(backfill.phase()),
                backfill.job().scope(),
                backfill.job().startedAt(),
                progress,
                backfill.counts(),
                backfill.failures().error());
    }
}
