package dev.perigee.replication.run;

import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.Look;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableDefinition;
import dev.perigee.source.TableId;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.source.WatchedTable;
import dev.perigee.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Syncs the tables that are due, except those of which the source can prove that a sync would find nothing.
///
/// All tables that are due are looked at together:
/// 1. One statement asks for the source's version. A table whose last sync saw this very version is unchanged.
/// 2. Where the version is another, a look at the remaining tables, in portions, tells which of them are unchanged.
///
/// What the source cannot tell, and what is not known since the last sync, is synced. Nothing is written for a table
/// that is unchanged: up to when its copy is complete is kept in memory. Safe for many threads.
public final class DueTables {
    /// Looks at the same tables, after which preparing the look at the source is worth its memory there.
    static final int STEADY = 1;

    /// The looks at so many portions are kept prepared at the source. A plan takes about 5 MB there.
    private static final int KEPT_PORTIONS = 20;

    /// The next look waits this many times as long as one took, if it took longer than [#SHORT], and at most
    /// [#LONGEST_REST]. So a source with very many tables is not looked at all the time.
    private static final int REST = 3;

    private static final Duration SHORT = Duration.ofMillis(250);
    private static final Duration LONGEST_REST = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(DueTables.class);

    private final InstantSource clock;
    private final Supplier<Source> source;
    private final Supplier<Collection<TableRunner>> runners;
    private final Store store;
    private final CopyFreshness freshness;
    private final Runnable afterwards;
    private final Map<LookPortions.Key, Watching> watching = new HashMap<>();
    private boolean isAtWork;
    private boolean isAsked;
    private boolean isHastened;
    private long restUntil = System.nanoTime();

    /// What the looks at one portion watched, and how often in a row.
    private record Watching(List<TableId> tables, int times) {}

    /// @param runners gives all tables
    /// @param store has the recorded states of the copies
    /// @param freshness is told which tables were found unchanged
    /// @param afterwards called after each look
    DueTables(
            InstantSource clock,
            Supplier<Source> source,
            Supplier<Collection<TableRunner>> runners,
            Store store,
            CopyFreshness freshness,
            Runnable afterwards) {
        this.clock = clock;
        this.source = source;
        this.runners = runners;
        this.store = store;
        this.freshness = freshness;
        this.afterwards = afterwards;
    }

    /// Looks at what is due, on a thread of its own. While one look is under way, further calls make one more follow
    /// it. Never blocks.
    public synchronized void start() {
        isAsked = true;
        if (isAtWork) return;
        isAtWork = true;
        Thread.ofVirtual().name("perigee-look").start(this::work);
    }

    /// Moves due times nearer that lie further ahead than the schedule or a retry would set them now. Called after the
    /// clock was set back, and at the start: such times were set while the clock was ahead.
    ///
    /// @param retryMax longest time until the next try of a table that failed
    public void bringNearer(Duration retryMax) {
        Instant now = clock.instant();
        for (TableRunner runner : runners.get()) {
            Instant latest =
                    runner.isFailing() ? now.plus(retryMax) : runner.schedule().next(now, now);
            if (runner.due().filter(due -> due.isAfter(latest)).isPresent()) runner.setDue(latest);
        }
    }

    /// Makes tables due at once: somebody says that they have changed. Paused tables stay so, and those whose last sync
    /// failed wait for their next try.
    public void hasten(List<TableRunner> some) {
        Instant now = clock.instant();
        some.stream()
                .filter(runner -> !runner.isPaused() && !runner.isFailing())
                .forEach(runner -> runner.hasten(now));
        synchronized (this) {
            isHastened = true;
            notifyAll();
        }
        start();
    }

    /// Looks at these tables now, and syncs those that may have changed. Blocks for as long as the look takes.
    ///
    /// @return completes when the syncs have ended, with their results; a table that is unchanged has none
    public CompletableFuture<List<SyncResult>> poll(List<TableRunner> some) {
        List<TableRunner> free =
                some.stream().filter(runner -> !runner.isBusy()).toList();
        Set<TableRunner> syncing = new LinkedHashSet<>(some);
        free.forEach(syncing::remove);
        syncing.addAll(changedOf(free, List.of(), LookPortions.of(free, clock.instant()), false));
        List<CompletableFuture<SyncResult>> syncs =
                syncing.stream().map(TableRunner::sync).toList();
        return CompletableFuture.allOf(syncs.toArray(CompletableFuture[]::new))
                .thenApply(_ -> syncs.stream().map(CompletableFuture::join).toList());
    }

    private void work() {
        while (true) {
            synchronized (this) {
                if (!isAsked) {
                    isAtWork = false;
                    return;
                }
                isAsked = false;
            }
            try {
                rest();
                long begun = System.nanoTime();
                once(clock.instant());
                tire(Duration.ofNanos(System.nanoTime() - begun));
                afterwards.run();
            } catch (RuntimeException | Error e) {
                LOG.error("the tables that are due could not be looked at", e);
            }
        }
    }

    private synchronized void tire(Duration took) {
        Duration rest = took.multipliedBy(REST);
        if (took.compareTo(SHORT) <= 0) rest = Duration.ZERO;
        if (rest.compareTo(LONGEST_REST) > 0) rest = LONGEST_REST;
        restUntil = System.nanoTime() + rest.toNanos();
    }

    /// Waits until the next look may begin, or somebody says that tables have changed.
    private synchronized void rest() {
        try {
            for (long left; !isHastened && (left = restUntil - System.nanoTime()) > 0; ) {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        isHastened = false;
    }

    private void once(Instant now) {
        Collection<TableRunner> all = runners.get();
        List<TableRunner> due = all.stream()
                .filter(runner -> isFree(runner) && isDue(runner, now))
                .toList();
        if (due.isEmpty()) return;
        Map<LookPortions.Key, List<TableRunner>> portions = LookPortions.of(all, now);
        Set<TableRunner> isDue = new HashSet<>(due);
        portions.values().removeIf(portion -> portion.stream().noneMatch(isDue::contains));
        List<TableRunner> early = portions.values().stream()
                .flatMap(List::stream)
                .filter(runner -> isFree(runner)
                        && !isDue.contains(runner)
                        && !runner.isFailing()
                        && runner.config().cron().isEmpty())
                .toList();
        due.forEach(TableRunner::isTakenUp);
        early.forEach(TableRunner::isTakenUp);
        // Somebody may have asked for a sync of one during the look.
        changedOf(due, early, portions, true).stream()
                .filter(runner -> isDue(runner, now))
                .forEach(DueTables::sync);
    }

    private static boolean isFree(TableRunner runner) {
        return !runner.isPaused() && !runner.isBusy();
    }

    /// Those of the tables that may have changed.
    ///
    /// @param early further tables to look at, which are not synced yet
    /// @param portions all that may be looked at
    /// @param isScheduled whether this look is one of many at the same tables
    private Collection<TableRunner> changedOf(
            List<TableRunner> due,
            List<TableRunner> early,
            Map<LookPortions.Key, List<TableRunner>> portions,
            boolean isScheduled) {
        try {
            return changed(due, early, portions, isScheduled);
        } catch (PerigeeException e) { // the replica cannot be read, for example because it is being closed
            LOG.debug("the tables that are due could not be looked at: {}", e.getMessage());
            return due;
        } catch (RuntimeException e) {
            LOG.error("the tables that are due could not be looked at, and are synced", e);
            return due;
        }
    }

    private Set<TableRunner> changed(
            List<TableRunner> due,
            List<TableRunner> early,
            Map<LookPortions.Key, List<TableRunner>> portions,
            boolean isScheduled) {
        Instant now = clock.instant();
        Map<TableRunner, KnownTable> known = new LinkedHashMap<>();
        List<TableRunner> unknown = new ArrayList<>();
        for (TableRunner runner : due) {
            current(runner).ifPresentOrElse(is -> known.put(runner, is), () -> unknown.add(runner));
        }
        early.forEach(runner -> current(runner).ifPresent(is -> known.put(runner, is)));
        long takenNanos = System.nanoTime();
        Optional<SourceVersion.At> version = known.isEmpty() ? Optional.empty() : version();
        version.ifPresent(at -> {
            List<TableRunner> unchanged = new ArrayList<>();
            known.forEach((runner, is) -> {
                boolean isDone = is.isUnchangedAt(at.version())
                        && isUnchanged(runner, is, at, is.synced().watched(), now);
                if (isDone) unchanged.add(runner);
            });
            unchanged.forEach(known::remove);
            tell(unchanged, at, takenNanos);
        });
        if (known.isEmpty() || version.isPresent()) look(known, sourceTables(unknown), portions, isScheduled, now);
        Set<TableRunner> changed = new LinkedHashSet<>(unknown);
        known.keySet().stream().filter(runner -> !early.contains(runner)).forEach(changed::add);
        return changed;
    }

    private static boolean isDue(TableRunner runner, Instant now) {
        return runner.due().filter(time -> !time.isAfter(now)).isPresent();
    }

    /// What is known about a table, where its settings are still those of its last sync.
    private static Optional<KnownTable> current(TableRunner runner) {
        return current(runner, runner.known());
    }

    private static Optional<KnownTable> current(TableRunner runner, Optional<KnownTable> known) {
        return known.filter(is -> is.config().equals(runner.config()));
    }

    private Optional<SourceVersion.At> version() {
        try {
            return source.get().version();
        } catch (PerigeeException e) { // a sync will fail with it, if it concerns the source
            LOG.debug("the source does not tell its version: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private boolean isUnchanged(
            TableRunner runner, KnownTable known, SourceVersion.At at, Optional<WatchedTable> confirmed, Instant now) {
        Instant due = runner.schedule().next(now, clock.instant());
        return runner.isUnchanged(known, known.unchangedAt(at, confirmed), new AsOf(at.asOf(), now), due);
    }

    /// Tells readers that these tables were found unchanged by a look.
    ///
    /// @param takenNanos [System#nanoTime] before the look
    private void tell(List<TableRunner> unchanged, SourceVersion.At at, long takenNanos) {
        if (unchanged.isEmpty()) return;
        List<String> names = unchanged.stream().map(TableRunner::name).toList();
        freshness.unchanged(names, VisibleTransactions.parse(at.version().snapshot(), true), at.asOf(), takenNanos);
    }

    private static void sync(TableRunner runner) {
        CompletableFuture<SyncResult> _ = runner.sync(); // its end is reported to the SyncObserver
    }

    /// The names at the source of these tables, as far as they can be told without much ado.
    private Map<TableRunner, TableId> sourceTables(List<TableRunner> some) {
        if (some.isEmpty()) return Map.of();
        List<String> asked = some.stream().map(TableRunner::name).toList();
        Map<String, TableState> known = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.of(tx, asked));
        Map<TableRunner, TableId> names = new LinkedHashMap<>();
        List<TableRunner> others = new ArrayList<>();
        for (TableRunner runner : some) {
            Optional.ofNullable(known.get(runner.name()))
                    .flatMap(TableState::definition)
                    .ifPresentOrElse(made -> names.put(runner, made.source()), () -> others.add(runner));
        }
        for (int i = 0; i < others.size(); i += LookPortions.SIZE) {
            found(others.subList(i, Math.min(others.size(), i + LookPortions.SIZE)), names);
        }
        return names;
    }

    /// Has the source find tables that have no copy yet. So their definitions are known before their first sync.
    private void found(List<TableRunner> some, Map<TableRunner, TableId> names) {
        try {
            List<SourceTable> found =
                    source.get().describe(some.stream().map(TableRunner::name).toList());
            for (int i = 0; i < some.size(); i++)
                names.put(some.get(i), found.get(i).id());
        } catch (PerigeeException e) { // the sync of the table that it concerns will fail with it
            LOG.debug("{} new tables could not be described together: {}", some.size(), e.getMessage());
        }
    }

    /// Looks at the tables, and removes those from `known` that are unchanged. Hands each of the others its definition
    /// as of now, for its next sync.
    ///
    /// A look watches all tables of a portion, also those that are being synced: so the statement stays the same.
    private void look(
            Map<TableRunner, KnownTable> known,
            Map<TableRunner, TableId> names,
            Map<LookPortions.Key, List<TableRunner>> portions,
            boolean isScheduled,
            Instant now) {
        Map<TableRunner, TableId> ids = new LinkedHashMap<>(names);
        known.forEach((runner, is) -> ids.put(runner, is.synced().table().id()));
        List<Look.Portion> looks = new ArrayList<>();
        portions.forEach((key, some) -> {
            List<TableId> asked =
                    some.stream().map(ids::get).filter(Objects::nonNull).toList();
            if (asked.isEmpty()) return;
            List<WatchedTable> watched = some.stream()
                    .flatMap(runner ->
                            Optional.ofNullable(known.get(runner))
                                    .or(() -> current(runner, runner.knownBefore()))
                                    .stream())
                    .flatMap(is -> is.watched().stream())
                    .toList();
            boolean isSteady = isScheduled && looks.size() < KEPT_PORTIONS && isSteady(key, watched);
            looks.add(new Look.Portion(asked, watched, isSteady));
        });
        if (!looks.isEmpty()) look(looks, ids, known, now);
    }

    private void look(
            List<Look.Portion> looks, Map<TableRunner, TableId> ids, Map<TableRunner, KnownTable> known, Instant now) {
        try {
            long takenNanos = System.nanoTime();
            Optional<Look> look = source.get().look(looks);
            look.ifPresent(found -> {
                List<TableRunner> unchanged = new ArrayList<>();
                ids.forEach((runner, id) -> {
                    KnownTable is = known.get(runner);
                    WatchedTable confirmed = found.unchanged().get(id);
                    boolean isDone = is != null
                            && confirmed != null
                            && is.watched().isPresent()
                            // Another run of the server may lack commits, which only a sync finds out.
                            && is.isOfRun(found.at().version())
                            && isUnchanged(runner, is, found.at(), Optional.of(confirmed), now);
                    if (isDone) unchanged.add(runner);
                    else
                        Optional.ofNullable(found.definitions().get(id))
                                .ifPresent(defined -> runner.setLooked(looked(is, defined)));
                });
                unchanged.forEach(known::remove);
                tell(unchanged, found.at(), takenNanos);
            });
        } catch (PerigeeException e) {
            LOG.debug("{} tables could not be looked at together: {}", ids.size(), e.getMessage());
        }
    }

    private static LookedTable looked(@Nullable KnownTable known, TableDefinition now) {
        Optional<SourceTable> described = Optional.ofNullable(known)
                .flatMap(KnownTable::watched)
                .filter(watched -> now.isSame(watched.definition()))
                .map(WatchedTable::table);
        return new LookedTable(now, described);
    }

    private boolean isSteady(LookPortions.Key portion, List<WatchedTable> watched) {
        List<TableId> tables = watched.stream().map(one -> one.table().id()).toList();
        Watching before = watching.get(portion);
        int times = before != null && before.tables().equals(tables) ? before.times() + 1 : 0;
        watching.put(portion, new Watching(tables, times));
        return times >= STEADY;
    }
}
