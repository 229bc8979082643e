package dev.perigee.replication;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.backfill.BackfillStatus;
import dev.perigee.replication.check.ProofRecords;
import dev.perigee.replication.check.ProofView;
import dev.perigee.replication.check.Sweep;
import dev.perigee.replication.check.SweepStatus;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.drift.DriftNotes;
import dev.perigee.replication.log.LogStatus;
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

/// The status of one table, as `GET /replication/status` shows it: one flat object with the fields of all parts, which
/// are explained in `docs/replication.md`.
///
/// @param target the copy's name; absent until it is made
/// @param attention what needs an admin to act, although syncs may succeed
/// @param notes what else an admin should know about the table, and about columns whose type is kept as text
public record TableStatus(
        String name,
        Optional<String> target,
        @JsonUnwrapped Settings settings,
        @JsonUnwrapped Copy copy,
        @JsonUnwrapped Syncs syncs,
        @JsonUnwrapped Promise promise,
        @JsonUnwrapped Failing failing,
        @JsonUnwrapped UnderWay underWay,
        List<Attention> attention,
        List<String> notes) {

    /// How the table is to be synced.
    ///
    /// @param cursorColumn the cursor's column; absent in modes without a cursor
    /// @param where the condition that a copied row matches; absent where all rows are copied
    public record Settings(
            String mode,
            Optional<String> group,
            Optional<String> cursorColumn,
            Optional<Long> intervalMs,
            Optional<String> cron,
            Optional<String> where) {
        private static Settings of(TableConfig config) {
            return new Settings(
                    ConfigRecords.word(config.mode()),
                    config.group(),
                    config.cursorColumn(),
                    config.cron().isPresent()
                            ? Optional.empty()
                            : Optional.of(config.interval().toMillis()),
                    config.cron(),
                    config.where());
        }
    }

    /// What the copy has, and up to where.
    ///
    /// @param cursor the greatest cursor value pulled, in the source's text form
    /// @param cursorKey the key of the row with that cursor value, which breaks ties
    /// @param textNumbers how many values of exact numeric columns are stored as text, because no SQLite number has all
    ///     their digits
    /// @param setAside the number of rows that could not be stored and are set aside
    public record Copy(
            Optional<String> cursor,
            Optional<List<String>> cursorKey,
            List<String> key,
            int columnCount,
            long rowCount,
            long rowsPulled,
            long textNumbers,
            long setAside) {
        private static final Copy NONE = new Copy(Optional.empty(), Optional.empty(), List.of(), 0, 0, 0, 0, 0);

        private static Copy of(TableState state) {
            Optional<HighWaterMark> mark = state.pulled().cursor();
            return new Copy(
                    mark.flatMap(HighWaterMark::cursor),
                    mark.map(HighWaterMark::key),
                    state.definition().map(CopyDefinition::key).orElse(List.of()),
                    state.definition().map(made -> made.columns().size()).orElse(0),
                    state.copy().rows(),
                    state.pulled().rows(),
                    state.copy().textNumbers(),
                    state.gaps().setAside());
        }
    }

    /// When the table was synced and will be synced.
    ///
    /// @param state see [TableRunner#state]
    /// @param lag milliseconds since the last successful sync began, or for a standby since the last commit that it had
    ///     replayed. The copy is not older than that
    public record Syncs(Optional<Instant> lastSyncAt, Optional<Instant> nextSyncAt, String state, Optional<Long> lag) {
        private static Syncs of(TableRunner runner, Known known, Instant now) {
            Optional<TableState.Syncs> syncs = known.state().map(TableState::syncs);
            boolean isHeldUp = known.replica().isPresent() && runner.state().equals("idle");
            return new Syncs(
                    syncs.flatMap(TableState.Syncs::lastAt),
                    runner.isPaused() || isFollowed(known) ? Optional.empty() : runner.due(),
                    isHeldUp ? "failing" : runner.state(),
                    syncs.flatMap(TableState.Syncs::freshAt)
                            .map(fresh -> Math.max(0, now.toEpochMilli() - fresh.toEpochMilli())));
        }
    }

    /// What can be relied on.
    ///
    /// @param guarantee what is promised about the copy: `loading`, `behind`, `recovering`, `filling(…)`,
    ///     `incomplete(rows)`, `different(rows)`, `complete`, `settled(…)` or `verified(…)`. The last three may end in
    ///     `of what ROLE sees`, see [Guarantee]
    /// @param completeAsOf the time at the source for which the guarantee holds: that of the last snapshot in which
    ///     everything was fetched
    /// @param position where the source's log stood at that snapshot
    /// @param heldBy the open transaction that keeps rows written since its beginning from being sealed
    /// @param verified the last verification that found this copy equal to the source or repaired it
    public record Promise(
            String guarantee,
            Optional<Instant> completeAsOf,
            Optional<String> position,
            Optional<HeldBy> heldBy,
            Optional<ProofView.Verified> verified) {
        private static Promise of(Known known, long wrong) {
            Optional<TableState> state = known.state();
            Optional<SyncOutcome> outcome = state.map(TableState::outcome);
            Optional<ProofView.Verified> verified = ProofView.Verified.of(known.proof(), state);
            boolean isHeldUp = known.replica().isPresent()
                    || known.log().flatMap(LogStatus::problem).isPresent();
            String guarantee = isHeldUp ? unwritable(state) : writable(state, wrong);
            return new Promise(
                    Guarantee.withProof(guarantee, verified.map(ProofView.Verified::at)),
                    outcome.flatMap(SyncOutcome::completeAsOf),
                    outcome.flatMap(SyncOutcome::position),
                    outcome.flatMap(TableStatus::heldBy),
                    verified);
        }
    }

    /// Whether syncs fail.
    ///
    /// @param failures the number of failed syncs since the last one that succeeded
    public record Failing(int failures, Optional<LastError> lastError) {
        private static Failing of(Known known, Instant now) {
            Optional<TableState.Syncs> syncs = known.state().map(TableState::syncs);
            return new Failing(
                    syncs.map(TableState.Syncs::failures).orElse(0),
                    known.replica()
                            .map(problem -> LastError.of(problem, now))
                            .or(() -> syncs.flatMap(last -> last.error()
                                    .map(problem ->
                                            LastError.of(problem, last.errorAt().orElse(now))))));
        }
    }

    /// What is done with the table at present, besides the last sweep.
    ///
    /// @param progress how far the running sync is; absent if none runs
    /// @param sweep the last sweep, which looks for rows that the source deleted
    /// @param backfill how far a backfill of rows is; absent if none is under way
    /// @param log where the follower of the source's log stands; only in mode `log`
    public record UnderWay(
            Optional<Progress> progress,
            Optional<SweepStatus> sweep,
            Optional<BackfillStatus> backfill,
            Optional<LogView> log) {}

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
    /// @param log where the follower of the source's log stands; only for a table in mode `log`
    /// @param replica why the replica cannot be written at present, which holds up every table
    record Known(
            Optional<TableState> state,
            Optional<ProofRecords.Entry> proof,
            Optional<Sweep> sweep,
            Optional<BackfillStatus> backfill,
            Optional<Problem> replica,
            Optional<LogStatus> log) {}

    static TableStatus of(TableRunner runner, Known known, Instant now) {
        TableConfig config = runner.config();
        Optional<TableState> state = known.state();
        long wrong = Attention.wrong(state, known.proof(), config);
        return new TableStatus(
                config.name(),
                state.flatMap(TableState::target),
                Settings.of(config),
                state.map(Copy::of).orElse(Copy.NONE),
                Syncs.of(runner, known, now),
                Promise.of(known, wrong),
                Failing.of(known, now),
                new UnderWay(
                        runner.progress(),
                        known.sweep().map(SweepStatus::of),
                        known.backfill(),
                        known.log().map(log -> LogView.of(log, now))),
                Attention.of(config.name(), known, wrong),
                notes(runner, state));
    }

    /// Whether the source's log is applied to the copy, so that the table is due only if something goes wrong.
    private static boolean isFollowed(Known known) {
        return known.log().isPresent() && isLoaded(known.state());
    }

    /// The guarantee while the replica cannot be written, or the source's log cannot be followed: nothing new comes,
    /// even if the last sync succeeded.
    private static String unwritable(Optional<TableState> state) {
        return isLoaded(state) ? Guarantee.BEHIND : Guarantee.LOADING;
    }

    /// The guarantee as long as the replica can be written. A copy whose last sync failed is `behind`, not `complete`,
    /// although it is still complete as of `completeAsOf`.
    private static String writable(Optional<TableState> state, long wrong) {
        if (!isLoaded(state)) return Guarantee.LOADING;
        if (state.get().syncs().failures() > 0) return Guarantee.BEHIND;
        Optional<String> lack = Guarantee.lackedBy(state.get().gaps());
        if (lack.isPresent()) return lack.get();
        if (wrong > 0) return Guarantee.different(wrong);
        return state.get().outcome().guarantee().orElse(Guarantee.BEHIND);
    }

    private static boolean isLoaded(Optional<TableState> state) {
        return state.filter(found -> found.copy().isLoaded()).isPresent();
    }

    private static Optional<HeldBy> heldBy(SyncOutcome outcome) {
        if (outcome.heldBy().isEmpty() || outcome.completeAsOf().isEmpty()) return Optional.empty();
        Holder holder = outcome.heldBy().get();
        long age =
                Duration.between(holder.since(), outcome.completeAsOf().get()).toMillis();
        return age < HELD_AFTER_MS ? Optional.empty() : Optional.of(new HeldBy(holder.who(), holder.since(), age));
    }

    private static List<String> notes(TableRunner runner, Optional<TableState> state) {
        List<String> notes = new ArrayList<>();
        runner.whyPaused().ifPresent(notes::add);
        if (state.isEmpty()) return notes;
        Optional<CopyDefinition> definition = state.get().definition();
        state.get().gaps().backfill().ifPresent(backfill -> notes.add(DriftNotes.of(backfill)));
        definition.map(DriftNotes::of).ifPresent(notes::addAll);
        state.get().outcome().obstacles().forEach(obstacle -> notes.add(obstacle.text()));
        for (CopyColumn column : definition.map(CopyDefinition::columns).orElse(List.of())) {
            column.note().ifPresent(note -> notes.add("column \"%s\": %s".formatted(column.name(), note)));
        }
        return notes;
    }
}
