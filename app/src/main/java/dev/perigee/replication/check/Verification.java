package dev.perigee.replication.check;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.check.Proof.Compared;
import dev.perigee.replication.check.Proof.Differences;
import dev.perigee.replication.check.Proof.Verdict;
import dev.perigee.replication.check.Recheck.Fixes;
import dev.perigee.replication.check.Recheck.Found;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.MassDeleteGuard;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.ThreadFailures;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One verification of one copy: a pass over all rows ([ComparePass]), then a second comparison of the rows that seemed
/// to differ ([Recheck]), which also repairs them if asked. Used once, by one thread.
final class Verification {
    private static final Logger LOG = LoggerFactory.getLogger(Verification.class);

    /// What the verification may change.
    ///
    /// @param repairs whether rows that differ are repaired in the copy
    /// @param isConfirmed whether a repair may remove more rows than the table's `maxDeletedShare`
    /// @param isWhole whether to repair nothing if more rows seem to differ than are remembered, because then not all
    ///     could be repaired
    record Order(boolean repairs, boolean isConfirmed, boolean isWhole) {
        /// Compares and reports only.
        static final Order PLAIN = new Order(false, false);

        /// The repair after a source went back in time. If too many rows differ, the caller fetches all rows again
        /// instead.
        static final Order RECOVERY = new Order(true, true, true);

        Order(boolean repairs, boolean isConfirmed) {
            this(repairs, isConfirmed, false);
        }
    }

    private final Store store;
    private final Supplier<Source> source;
    private final InstantSource clock;
    private final TableRunner runner;
    private final Order order;
    private final PassControl control;
    private final Instant startedAt;

    private Optional<CheckTarget> copy = Optional.empty();
    private ComparePass.@Nullable Result pass;
    private Found found = Found.NOTHING;
    private long repaired;

    /// @param source gives the source; may throw [Fault#SOURCE_NOT_CONFIGURED]
    Verification(
            Store store,
            Supplier<Source> source,
            InstantSource clock,
            TableRunner runner,
            Order order,
            PassControl control) {
        this.store = store;
        this.source = source;
        this.clock = clock;
        this.runner = runner;
        this.order = order;
        this.control = control;
        this.startedAt = clock.instant();
    }

    /// Runs the verification to its end. A failure is in the proof's `error` and never thrown. Rows repaired before a
    /// failure stay repaired.
    Proof run() {
        try {
            // Sync first, so that the copy is as little behind as possible.
            if (!runner.isPaused()) synced();
            CheckTarget checked = CheckTarget.of(store, source.get(), runner.config());
            copy = Optional.of(checked);
            Source remembered = SameTableSource.remembered(store, source.get(), checked.config(), checked.table());
            ComparePass.Result all = new ComparePass(store, remembered, checked, control).run();
            pass = all;
            boolean isLeft = order.isWhole() && all.suspects().leftOut() > 0;
            if (!isLeft) lookAgain(remembered, all.suspects());
            return judged(all.suspects());
        } catch (RuntimeException e) {
            PerigeeException failure = control.cancellation().reason().orElseGet(() -> ThreadFailures.unwrapped(e));
            if (failure.fault() == Fault.INTERNAL)
                LOG.error("table {}: internal error in a verification", runner.name(), e);
            return proof(Verdict.UNFINISHED, Optional.of(Problem.of(failure)));
        }
    }

    private void synced() {
        SyncResult result = await(runner.sync());
        result.error().ifPresent(problem -> {
            throw Fault.CONFLICT.in(
                    "table " + runner.name(),
                    "a verification syncs the table first, and that failed with %s, so copy and source cannot be compared"
                            .formatted(problem.fault()),
                    "Nothing was changed",
                    problem.remedy());
        });
    }

    private void lookAgain(Source remembered, Suspects suspects) {
        found = look(remembered, suspects, new Fixes(order.repairs(), false));
        if (!order.repairs()) return;
        repaired = found.missing() + found.different();
        if (found.extra() == 0) return;
        askBeforeMassDelete();
        repaired += look(remembered, suspects, Fixes.DELETES).extra();
    }

    private Found look(Source remembered, Suspects suspects, Fixes fixes) {
        Found all = Found.NOTHING;
        Recheck second = new Recheck(store, remembered);
        for (var portion : suspects.portions()) {
            all = all.plus(await(runner.exclusively(itsOwn -> {
                // Two cancellations apply: the check's own, when the server stops, and the task's, when the table is
                // removed or paused.
                control.cancellation().check();
                return second.look(runner.config(), portion, fixes, itsOwn);
            })));
        }
        return all;
    }

    private void askBeforeMassDelete() {
        long rows = copy.map(checked -> checked.state().copy().rows()).orElse(0L);
        if (order.isConfirmed() || !new MassDeleteGuard(runner.config(), rows, 0).isAgainst(found.extra())) return;
        throw Fault.CONFLICT.in(
                "table " + runner.name(),
                "the repair would remove %d of its %d rows, more than `maxDeletedShare` (%s) allows"
                        .formatted(found.extra(), rows, runner.config().maxDeletedShare()),
                "Nothing was removed; %d rows were written".formatted(repaired),
                "check whether the source really lost these rows; if it did, `perigee verify --table %s --repair --confirm`, or repeat the request with `\"confirm\": true`"
                        .formatted(Remedies.word(runner.name())));
    }

    private Proof judged(Suspects suspects) {
        if (suspects.leftOut() > 0) {
            String what = "%d rows seemed to differ, of which %d were looked at again and %d differed"
                    .formatted(
                            suspects.size() + suspects.leftOut(),
                            order.isWhole() ? 0 : suspects.size(),
                            found.differences());
            PerigeeException tooMany = Fault.TOO_LARGE.in(
                    "table " + runner.name(),
                    what,
                    "%d rows were repaired".formatted(repaired),
                    found.differences() > 0
                            ? Remedies.resync(runner.name())
                            : "verify it again when the source writes fewer rows");
            Verdict verdict = found.differences() > 0 ? Verdict.DIFFERENT : Verdict.UNFINISHED;
            return proof(verdict, Optional.of(Problem.of(tooMany)));
        }
        if (found.differences() == 0) return proof(Verdict.EQUAL, Optional.empty());
        boolean isRepaired = order.repairs() && repaired >= found.differences();
        return proof(isRepaired ? Verdict.REPAIRED : Verdict.DIFFERENT, Optional.empty());
    }

    private Proof proof(Verdict verdict, Optional<Problem> error) {
        ComparePass.Result all = pass;
        Differences differences =
                new Differences(found.missing(), found.different(), found.extra(), found.pending(), repaired);
        Compared compared = all == null
                ? new Compared(SnapshotTime.NONE, 0, differences, Optional.empty())
                : new Compared(all.snapshot(), all.rows(), differences, Optional.of(all.digest()));
        // If differences were found and not repaired, the verdict says so, whatever went wrong afterwards.
        boolean isDifferent = verdict == Verdict.UNFINISHED && found.differences() > repaired;
        return new Proof(
                runner.name(),
                isDifferent ? Verdict.DIFFERENT : verdict,
                startedAt,
                Math.max(0, clock.millis() - startedAt.toEpochMilli()),
                copy.map(checked -> checked.state().copy().generation()).orElse(0L),
                compared,
                error);
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw ThreadFailures.unwrapped(e);
        }
    }
}
