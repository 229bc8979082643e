package dev.perigee.replication.backfill;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.Run;
import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.ThreadFailures;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs the backfills: at most one per table, recorded in the replica, so that they continue after a restart.
///
/// A backfill is a chain of steps ([BackfillStep]). Each step is a task of the table's runner, so syncs run between the
/// steps. A step that fails is tried again after a growing delay. A backfill that would delete too many rows waits
/// until an admin confirms or cancels it. Safe for many threads.
public final class Backfills {
    private static final Logger LOG = LoggerFactory.getLogger(Backfills.class);

    /// A backfill that was begun or confirmed.
    ///
    /// @param run its number in `tmp_replication_runs`
    /// @param result completes when it has ended, or waits for a confirmation
    record Started(long run, CompletableFuture<BackfillStatus> result) {}

    /// Where this process began to work on the phase. The rate of progress is counted from there.
    private record Begun(Backfill.Phase phase, long rows, long nanos) {}

    private final PluginHost host;
    private final Tables tables;
    private final BiConsumer<TableRunner, BackfillStatus> observer;
    // By the number of the run, so that a request which waits for one backfill never gets the result of another.
    private final Map<Long, CompletableFuture<BackfillStatus>> results = new ConcurrentHashMap<>();
    private final Map<Long, Begun> begun = new ConcurrentHashMap<>();
    private final Map<String, BackfillStatus> current = new ConcurrentHashMap<>();

    /// @param observer is told after each page and each change of state; must not block
    public Backfills(PluginHost host, Tables tables, BiConsumer<TableRunner, BackfillStatus> observer) {
        this.host = host;
        this.tables = tables;
        this.observer = observer;
    }

    /// Continues the backfills that were under way when the process ended. Called once, at the start.
    public void resume() {
        for (Backfill backfill : host.store().read(ReplicationTables.READ_LIMIT, BackfillRecords::all)) {
            tables.find(backfill.name()).ifPresent(runner -> resume(runner, backfill));
        }
    }

    /// Continues the backfill of a table that was renamed at the source, after its copy was handed over to the new
    /// name.
    public void resume(TableRunner runner) {
        host.store()
                .read(ReplicationTables.READ_LIMIT, tx -> BackfillRecords.find(tx, runner.name()))
                .ifPresent(backfill -> resume(runner, backfill));
    }

    private void resume(TableRunner runner, Backfill backfill) {
        results.computeIfAbsent(backfill.run(), _ -> new CompletableFuture<>());
        if (isWaiting(backfill)) tell(runner, backfill, "waiting");
        else go(runner, backfill);
    }

    /// How far the table's backfill is; empty if none is under way.
    public Optional<BackfillStatus> current(String table) {
        return Optional.ofNullable(current.get(table));
    }

    /// Takes the backfill of a table that is no longer replicated under this name out of the status.
    public void forget(String table) {
        current.remove(table);
    }

    /// Begins a backfill. Returns when it has been recorded; it runs on the table's runner.
    ///
    /// @throws PerigeeException [Fault#CONFLICT] if one is under way; [Fault#INVALID_REQUEST] if the source cannot read
    ///     a text as a value of the key's column; [Fault#KEY_MISSING] if the table has no key
    Started begin(TableRunner runner, tools.jackson.databind.JsonNode body) {
        TableConfig config = runner.config();
        Source source = tables.source();
        BackfillTarget target = BackfillTarget.of(host.store(), source, config);
        CopyDefinition definition = target.definition();
        if (definition.key().isEmpty()) {
            throw Fault.KEY_MISSING.in(
                    "table " + config.name(),
                    "a backfill fetches rows by their key, and the table has no key",
                    "Nothing was changed",
                    Remedies.resync(config.name()));
        }
        BackfillScope scope = BackfillScope.of(body, definition.key());
        check(source, target.table(), definition, scope);
        Backfill.Job job = new Backfill.Job(
                config.name(),
                scope,
                target.state().copy().generation(),
                tables.turns().sync().runs().nextId(),
                host.clock().instant());
        Backfill backfill = Backfill.begin(job, expectedRows(scope, target.table()));
        host.store().write(tx -> {
            if (BackfillRecords.find(tx, config.name()).isPresent()) throw underWay(config.name());
            BackfillRecords.begin(tx, backfill);
            tables.turns().sync().runs().put(tx, backfill.asRun());
            return true;
        });
        CompletableFuture<BackfillStatus> result = new CompletableFuture<>();
        results.put(backfill.run(), result);
        go(runner, backfill);
        return new Started(backfill.run(), result);
    }

    /// Lets a backfill that waits for a confirmation continue, and delete the rows it found.
    ///
    /// @throws PerigeeException [Fault#CONFLICT] if no backfill of the table waits
    Started confirm(TableRunner runner) {
        Backfill confirmed = host.store().write(tx -> {
            Backfill waiting = BackfillRecords.find(tx, runner.name())
                    .filter(Backfills::isWaiting)
                    .orElseThrow(() -> Fault.CONFLICT.in(
                            "table " + runner.name(),
                            "no backfill of it waits for a confirmation",
                            "Nothing was changed",
                            "see where it stands with `perigee status`, or begin one with `perigee tables backfill %s`"
                                    .formatted(Remedies.word(runner.name()))));
            BackfillRecords.save(tx, waiting.confirmed());
            return waiting.confirmed();
        });
        CompletableFuture<BackfillStatus> result = new CompletableFuture<>();
        results.put(confirmed.run(), result);
        go(runner, confirmed);
        return new Started(confirmed.run(), result);
    }

    /// Cancels the table's backfill. Rows it has already written or deleted stay so.
    ///
    /// @return how far it was; empty if none was under way
    Optional<BackfillStatus> cancel(TableRunner runner) {
        Instant now = host.clock().instant();
        Optional<Backfill> cancelled = host.store().write(tx -> {
            Optional<Backfill> found = BackfillRecords.find(tx, runner.name());
            found.ifPresent(backfill -> {
                BackfillRecords.remove(tx, runner.name());
                ended(tx, backfill, Run.Outcome.STOPPED, now);
            });
            return found;
        });
        return cancelled.map(backfill -> ended(runner, backfill, "cancelled"));
    }

    /// Queues the next step at the table's runner; when that has ended, queues the one after it.
    private void go(TableRunner runner, Backfill backfill) {
        tell(runner, backfill, "running");
        CompletableFuture<Optional<Backfill>> step = runner.exclusively(cancellation -> {
            try {
                return tables.turns()
                        .inTurn(() -> BackfillStep.next(
                                backfill.run(),
                                host,
                                tables,
                                runner.config(),
                                cancellation,
                                now -> tell(runner, now, "running")));
            } catch (RuntimeException e) {
                // The step was cancelled, for example by a pause of the table. That does not end the backfill itself.
                if (!cancellation.isCancelled()) throw e;
                return host.store().read(ReplicationTables.READ_LIMIT, tx -> BackfillRecords.find(tx, backfill));
            }
        });
        CompletableFuture<Optional<Backfill>> _ = step.whenComplete((next, failure) -> {
            try {
                if (failure != null) failed(runner, backfill, ThreadFailures.unwrapped(failure));
                else if (next.isPresent()) go(runner, next.get());
                else done(runner, backfill);
            } catch (PerigeeException e) {
                // The replica cannot be written, or Perigee is stopping. The backfill continues at the next start.
                LOG.warn("table {}: its backfill is stalled: {}", runner.name(), e.getMessage());
            }
        });
    }

    private void done(TableRunner runner, Backfill last) {
        Instant now = host.clock().instant();
        Optional<Backfill> done = host.store().write(tx -> {
            Optional<Backfill> found = BackfillRecords.find(tx, last);
            found.ifPresent(backfill -> {
                BackfillRecords.remove(tx, runner.name());
                ended(tx, backfill, Run.Outcome.OK, now);
            });
            return found;
        });
        done.ifPresentOrElse(backfill -> ended(runner, backfill, "done"), () -> forget(runner, last));
    }

    private void failed(TableRunner runner, Backfill last, PerigeeException failure) {
        if (failure.fault() == Fault.CLOSED) return; // it continues at the next start, or under the table's new name
        Problem problem = Problem.of(failure);
        Optional<Backfill> failed = host.store().write(tx -> {
            Optional<Backfill> found = BackfillRecords.find(tx, last).map(b -> b.failed(problem));
            found.ifPresent(backfill -> BackfillRecords.save(tx, backfill));
            return found;
        });
        if (failed.isEmpty()) {
            // Either it was cancelled, and its result is complete; or its table was removed, and it is not yet.
            forget(runner, last);
            CompletableFuture<BackfillStatus> result = results.remove(last.run());
            if (result != null) result.completeExceptionally(failure);
            return;
        }
        boolean isNews = failed.get().failures().count() == 1;
        boolean isOfSource = tables.sourceTrouble().failed(runner.name(), problem, isNews);
        if (isNews && !isOfSource) LOG.warn("table {}: its backfill: {}", runner.name(), failure.getMessage());
        if (isWaiting(failed.get())) {
            BackfillStatus status = tell(runner, failed.get(), "waiting");
            complete(failed.get(), status);
            return;
        }
        tell(runner, failed.get(), "failing");
        Duration delay = tables.turns().retryDelay(failed.get().failures().count(), problem);
        CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS)
                .execute(() -> tryAgain(runner, failed.get()));
    }

    private void tryAgain(TableRunner runner, Backfill failed) {
        try {
            Optional<Backfill> found =
                    host.store().read(ReplicationTables.READ_LIMIT, tx -> BackfillRecords.find(tx, failed));
            found.ifPresentOrElse(backfill -> go(runner, backfill), () -> forget(runner, failed));
        } catch (PerigeeException e) {
            LOG.warn("table {}: its backfill is stalled: {}", runner.name(), e.getMessage());
        }
    }

    /// Removes a cancelled backfill from the status, in case a page was reported after the cancellation.
    private void forget(TableRunner runner, Backfill cancelled) {
        begun.remove(cancelled.run());
        current.computeIfPresent(runner.name(), (_, shown) -> shown.run() == cancelled.run() ? null : shown);
    }

    private BackfillStatus tell(TableRunner runner, Backfill backfill, String state) {
        Backfill.PhaseProgress done = backfill.progress();
        Begun since = begun.compute(
                backfill.run(),
                (_, before) -> before != null && before.phase() == done.phase()
                        ? before
                        : new Begun(done.phase(), done.rows(), System.nanoTime()));
        Progress progress = Progress.of(
                Math.max(0, done.rows() - since.rows()),
                since.rows(),
                done.expected(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - since.nanos()));
        BackfillStatus status = BackfillStatus.of(backfill, state, progress);
        current.put(runner.name(), status);
        observer.accept(runner, status);
        return status;
    }

    private BackfillStatus ended(TableRunner runner, Backfill backfill, String state) {
        BackfillStatus status = tell(runner, backfill, state);
        current.remove(runner.name());
        begun.remove(backfill.run());
        complete(backfill, status);
        return status;
    }

    private void complete(Backfill backfill, BackfillStatus status) {
        CompletableFuture<BackfillStatus> result = results.remove(backfill.run());
        if (result != null) result.complete(status);
    }

    private void ended(dev.perigee.store.Transaction tx, Backfill backfill, Run.Outcome outcome, Instant now) {
        Run run = backfill.asRun();
        tables.turns().sync().runs().put(tx, run.finished(outcome, now, Optional.empty()));
    }

    /// The number of rows in the scope, as far as the source can estimate it.
    private static Optional<Long> expectedRows(BackfillScope scope, SourceTable table) {
        if (scope.key().isPresent()) return Optional.of(1L);
        boolean isRange = scope.from().isPresent() || scope.to().isPresent();
        return isRange || table.estimate().rows() < 0
                ? Optional.empty()
                : Optional.of(table.estimate().rows());
    }

    /// Whether it continues only after an admin's confirmation.
    private static boolean isWaiting(Backfill backfill) {
        return backfill.failures()
                .error()
                .filter(problem -> problem.fault().equals(Fault.MASS_DELETE.name()))
                .isPresent();
    }

    /// Has the source read the texts as values of the key, before anything is recorded.
    private static void check(Source source, SourceTable table, CopyDefinition definition, BackfillScope scope) {
        List<List<String>> keys = new ArrayList<>();
        scope.key().ifPresent(keys::add);
        scope.from().ifPresent(keys::add);
        scope.to().ifPresent(keys::add);
        if (keys.isEmpty()) return;
        try {
            source.<List<Integer>>snapshot(
                    "table " + table.id(),
                    List.of(table.id()),
                    snapshot -> snapshot.absent(
                            table, definition.key(), Set.of(), keys, Optional.empty(), Optional.empty()));
        } catch (PerigeeException e) {
            String state = e.getCause() instanceof SQLException sql ? String.valueOf(sql.getSQLState()) : "";
            if (!state.startsWith("22")) throw e;
            throw Fault.INVALID_REQUEST.in(
                    "the request",
                    "the source does not read these texts as values of the key %s (SQLSTATE %s)"
                            .formatted(definition.key(), state),
                    "Nothing was changed",
                    "send one text for each column of the key, in the form that the source reads for its type",
                    e);
        }
    }

    private static PerigeeException underWay(String name) {
        return Fault.CONFLICT.in(
                "table " + name,
                "a backfill of it is under way",
                "Nothing was changed",
                "wait for it, or end it with `perigee tables backfill %1$s --cancel`, or, if it waits for a confirmation, confirm it with `perigee tables backfill %1$s --confirm`"
                        .formatted(Remedies.word(name)));
    }
}
