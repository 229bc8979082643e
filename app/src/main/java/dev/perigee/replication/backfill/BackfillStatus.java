package dev.perigee.replication.backfill;

import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.Progress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// How far a backfill is, as the status and the events show it.
///
/// @param state `running`; `waiting` until an admin confirms or cancels it; `failing` and being tried again; `done` or
///     `cancelled`
/// @param run its number in `tmp_replication_runs`
/// @param phase see [Backfill.Phase]
/// @param progress the progress of the phase
public record BackfillStatus(
        String state,
        long run,
        String phase,
        Optional<List<String>> key,
        Optional<List<String>> from,
        Optional<List<String>> to,
        Instant startedAt,
        Progress progress,
        long inserted,
        long updated,
        long deleted,
        long unchanged,
        Optional<Problem> error) {

    static BackfillStatus of(Backfill backfill, String state, Progress progress) {
        return new BackfillStatus(
                state,
                backfill.run(),
                ConfigRecords.word(backfill.phase()),
                backfill.scope().key(),
                backfill.scope().from(),
                backfill.scope().to(),
                backfill.startedAt(),
                progress,
                backfill.counts().inserted(),
                backfill.counts().updated(),
                backfill.counts().deleted(),
                backfill.counts().unchanged(),
                backfill.error());
    }
}
