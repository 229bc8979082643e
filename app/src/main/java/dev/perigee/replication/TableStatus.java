package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.backfill.BackfillStatus;
import dev.perigee.replication.check.ProofRecords;
import dev.perigee.replication.check.ProofView;
import dev.perigee.replication.check.Sweep;
import dev.perigee.replication.check.SweepStatus;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.drift.DriftNotes;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.SyncOutcome;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.Progress;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon.Holder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The status of one table, as `GET /replication/status` shows it. The fields are explained in `docs/replication.md`.
///
/// @param cursorColumn the cursor's column; absent in modes without a cursor
/// @param cursor the greatest cursor value pulled, in the source's text form
/// @param cursorKey the key of the row with that cursor value, which breaks ties
/// @param textNumbers how many values of exact numeric columns are stored as text, because no SQLite number has all
///     their digits
/// @param lag milliseconds since the last successful sync began, or for a standby since the last commit that it had
///     replayed. The copy is not older than that
/// @param guarantee what is promised about the copy: `loading`, `behind`, `recovering`, `filling(…)`,
///     `incomplete(rows)`, `different(rows)`, `complete`, `settled(…)` or `verified(…)`. The last three may end in
///     `of what ROLE sees`, see [Guarantee]
/// @param completeAsOf the time at the source for which the guarantee holds: that of the last snapshot in which
///     everything was fetched
/// @param position where the source's log stood at that snapshot
/// @param heldBy the open transaction that keeps rows written since its beginning from being sealed
/// @param sweep the last sweep, which looks for rows that the source deleted
/// @param verified the last verification that found this copy equal to the source or repaired it
/// @param setAside the number of rows that could not be stored and are set aside
/// @param backfill how far a backfill of rows is; absent if none is under way
/// @param attention what needs an admin to act, although syncs may succeed
/// @param notes what else an admin should know about the table, and about columns whose type is kept as text
public record TableStatus(
        String name,
        Optional<String> target,
        String mode,
        Optional<String> group,
        Optional<String> cursorColumn,
        Optional<Long> intervalMs,
        Optional<String> cron,
        Optional<String> cursor,
        Optional<List<String>> cursorKey,
        List<String> key,
        int columnCount,
        long rowCount,
        long rowsPulled,
        long textNumbers,
        long setAside,
        Optional<Instant> lastSyncAt,
        Optional<Instant> nextSyncAt,
        String state,
        Optional<Long> lag,
        String guarantee,
        Optional<Instant> completeAsOf,
        Optional<String> position,
        Optional<HeldBy> heldBy,
        Optional<ProofView.Verified> verified,
        int failures,
        Optional<LastError> lastError,
        Optional<Progress> progress,
        Optional<SweepStatus> sweep,
        Optional<BackfillStatus> backfill,
        List<Attention> attention,
        List<String> notes) {

    /// Age in milliseconds from which an open transaction is reported as `heldBy`.
    static final long HELD_AFTER_MS = 10_000;

    /// An open transaction at the source that may still commit late rows.
    ///
    /// @param who the session's process and application at the source, or the prepared transaction
    /// @param ageMs how long it had been open when the table was last synced, in milliseconds by the source's clock
    public record HeldBy(String who, Instant since, long ageMs) {}

    /// Why the last sync failed, or why the replica cannot be written.
    ///
    /// @param at when it happened
    public record LastError(String fault, String message, String remedy, Instant at) {
        static LastError of(Problem problem, Instant at) {
            return new LastError(problem.fault(), problem.message(), problem.remedy(), at);
        }
    }

    /// What a status is made from, next to the table's runner.
    ///
    /// @param proof the last verification
    /// @param sweep the last sweep
    /// @param backfill the backfill under way
    /// @param replica why the replica cannot be written at present, which holds up every table
    record Known(
            Optional<TableState> state,
            Optional<ProofRecords.Entry> proof,
            Optional<Sweep> sweep,
            Optional<BackfillStatus> backfill,
            Optional<Problem> replica) {}

    static TableStatus of(TableRunner runner, Known known, Instant now) {
        Optional<TableState> state = known.state();
        Optional<ProofRecords.Entry> proof = known.proof();
        Optional<Problem> replica = known.replica();
        Optional<ProofView.Verified> verified = ProofView.Verified.of(proof, state);
        TableConfig config = runner.config();
        Optional<CopyDefinition> definition = state.flatMap(TableState::definition);
        long wrong = Attention.wrong(state, proof, config);
        return new TableStatus(
                config.name(),
                state.flatMap(TableState::target),
                ConfigRecords.word(config.mode()),
                config.group(),
                config.cursorColumn(),
                config.cron().isPresent()
                        ? Optional.empty()
                        : Optional.of(config.interval().toMillis()),
                config.cron(),
                state.map(TableState::pulled).flatMap(TableState.Pulled::cursor).flatMap(HighWaterMark::cursor),
                state.map(TableState::pulled).flatMap(TableState.Pulled::cursor).map(HighWaterMark::key),
                definition.map(CopyDefinition::key).orElse(List.of()),
                definition
                        .map(CopyDefinition::columns)
                        .map(List<CopyColumn>::size)
                        .orElse(0),
                state.map(TableState::copy).map(TableState.Copy::rows).orElse(0L),
                state.map(TableState::pulled).map(TableState.Pulled::rows).orElse(0L),
                state.map(TableState::copy).map(TableState.Copy::textNumbers).orElse(0L),
                state.map(TableState::gaps).map(TableState.Gaps::setAside).orElse(0L),
                state.map(TableState::syncs).flatMap(TableState.Syncs::lastAt),
                runner.isPaused() ? Optional.empty() : runner.due(),
                replica.isPresent() && runner.state().equals("idle") ? "failing" : runner.state(),
                state.map(TableState::syncs)
                        .flatMap(TableState.Syncs::freshAt)
                        .map(fresh -> Math.max(0, now.toEpochMilli() - fresh.toEpochMilli())),
                Guarantee.withProof(
                        replica.isPresent() ? unwritable(state) : guarantee(state, wrong),
                        verified.map(ProofView.Verified::at)),
                state.map(TableState::outcome).flatMap(SyncOutcome::completeAsOf),
                state.map(TableState::outcome).flatMap(SyncOutcome::position),
                state.flatMap(TableStatus::heldBy),
                verified,
                state.map(TableState::syncs).map(TableState.Syncs::failures).orElse(0),
                replica.map(problem -> LastError.of(problem, now))
                        .or(() -> state.flatMap(s -> s.syncs()
                                .error()
                                .map(problem -> LastError.of(
                                        problem, s.syncs().errorAt().orElse(now))))),
                runner.progress(),
                known.sweep().map(SweepStatus::of),
                known.backfill(),
                Attention.of(config.name(), known, wrong),
                notes(runner, state, definition));
    }

    /// The guarantee while the replica cannot be written: no sync can succeed, even if the last one did.
    private static String unwritable(Optional<TableState> state) {
        return state.map(TableState::copy).filter(TableState.Copy::isLoaded).isEmpty()
                ? Guarantee.LOADING
                : Guarantee.BEHIND;
    }

    /// The guarantee as long as the replica can be written. A copy whose last sync failed is `behind`, not `complete`,
    /// although it is still complete as of `completeAsOf`.
    private static String guarantee(Optional<TableState> state, long wrong) {
        if (state.map(TableState::copy).filter(TableState.Copy::isLoaded).isEmpty()) return Guarantee.LOADING;
        if (state.get().syncs().failures() > 0) return Guarantee.BEHIND;
        if (state.get().gaps().isRecovering()) return Guarantee.RECOVERING;
        if (state.get().gaps().backfill().isPresent()) {
            return Guarantee.filling(state.get().gaps().backfill().get());
        }
        if (state.get().gaps().setAside() > 0)
            return Guarantee.incomplete(state.get().gaps().setAside());
        if (wrong > 0) return Guarantee.different(wrong);
        return state.get().outcome().guarantee().orElse(Guarantee.BEHIND);
    }

    private static Optional<HeldBy> heldBy(TableState state) {
        if (state.outcome().heldBy().isEmpty() || state.outcome().completeAsOf().isEmpty()) return Optional.empty();
        Holder holder = state.outcome().heldBy().get();
        long age = Duration.between(
                        holder.since(), state.outcome().completeAsOf().get())
                .toMillis();
        return age < HELD_AFTER_MS ? Optional.empty() : Optional.of(new HeldBy(holder.who(), holder.since(), age));
    }

    private static List<String> notes(
            TableRunner runner, Optional<TableState> state, Optional<CopyDefinition> definition) {
        List<String> notes = new ArrayList<>();
        runner.whyPaused().ifPresent(notes::add);
        state.map(TableState::gaps)
                .flatMap(TableState.Gaps::backfill)
                .ifPresent(backfill -> notes.add(DriftNotes.of(backfill)));
        definition.map(DriftNotes::of).ifPresent(notes::addAll);
        state.map(TableState::outcome)
                .map(SyncOutcome::obstacles)
                .orElse(List.of())
                .forEach(obstacle -> notes.add(obstacle.text()));
        for (CopyColumn column : definition.map(CopyDefinition::columns).orElse(List.of())) {
            column.note().ifPresent(note -> notes.add("column \"%s\": %s".formatted(column.name(), note)));
        }
        return notes;
    }
}
