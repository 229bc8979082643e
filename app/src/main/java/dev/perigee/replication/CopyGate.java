package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.plugin.FreshnessGate;
import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.freshness.TableFreshness;
import dev.perigee.replication.freshness.TableFreshness.Fit;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.replication.state.TableState;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.FreshnessToken;
import dev.perigee.statement.StaleException;
import dev.perigee.statement.StaleException.Stale;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/// Compares the freshness of copies with what readers demand, and has those tables synced that they wait for.
///
/// Only the tables that a reader needs are synced ([DemandedSyncs]). A sync that runs already is joined. It may have
/// begun before the transaction was committed that the reader waits for; then the table is synced once more.
final class CopyGate implements FreshnessGate {
    /// The most readers that wait at once. There are more places for requests, so that those that need not wait find
    /// one.
    static final int MAX_WAITING = 128;

    /// The longest time between two syncs that one reader asks for. A reader that waits for a transaction which stays
    /// open asks less and less often.
    private static final Duration MAX_PAUSE = Duration.ofSeconds(1);

    private final Tables tables;
    private final CopyFreshness freshness;
    private final DemandedSyncs syncs;
    private final InstantSource clock;
    private final Duration minInterval;
    private final Semaphore places = new Semaphore(MAX_WAITING);

    /// @param minInterval the least time between two syncs of a table that readers ask for
    CopyGate(Tables tables, DemandedSyncs syncs, InstantSource clock, Duration minInterval) {
        this.tables = tables;
        this.freshness = tables.freshness();
        this.syncs = syncs;
        this.clock = clock;
        this.minInterval = minInterval;
    }

    /// Takes over what the replica remembers of the copies. Called at the start, before anything is synced.
    void load() {
        for (TableState state : tables.states().values()) {
            if (!state.copy().isLoaded()) continue;
            String guarantee = Guarantee.lackedBy(state.gaps())
                    .or(state.outcome()::guarantee)
                    .orElse(Guarantee.BEHIND);
            freshness.remember(state.name(), state.outcome().completeAsOf(), guarantee);
        }
    }

    @Override
    public long now() {
        return freshness.now();
    }

    @Override
    public Optional<AnswerFreshness> of(Set<String> copies, long mark) {
        AnswerFreshness all = null;
        for (String copy : copies) {
            Optional<TableRunner> table = tables.ofCopy(copy);
            if (table.isEmpty()) continue;
            AnswerFreshness one = of(table.get(), freshness.at(table.get().name(), mark));
            all = all == null ? one : weaker(all, one);
        }
        return Optional.ofNullable(all);
    }

    private AnswerFreshness of(TableRunner table, Optional<TableFreshness> known) {
        if (known.isEmpty()) return new AnswerFreshness("", "", -1, "", 0);
        TableFreshness has = known.get();
        long age = has.age(System.nanoTime()).map(Duration::toNanos).orElse(-1L);
        long rest = table.due()
                .map(due -> Math.max(0, due.toEpochMilli() - clock.millis()) * 1_000_000)
                .orElse(0L);
        return new AnswerFreshness(has.position(), has.time(), age, has.guarantee(), rest);
    }

    /// How fresh an answer is that was read from both: it has seen what either has, and may lack what either lacks.
    private static AnswerFreshness weaker(AnswerFreshness one, AnswerFreshness other) {
        boolean isPlaced = !one.position().isEmpty() && !other.position().isEmpty();
        boolean isTimed = !one.asOf().isEmpty() && !other.asOf().isEmpty();
        boolean isAged = one.ageNanos() >= 0 && other.ageNanos() >= 0;
        return new AnswerFreshness(
                isPlaced ? later(one.position(), other.position()) : "",
                isTimed ? earlier(one.asOf(), other.asOf()) : "",
                isAged ? Math.max(one.ageNanos(), other.ageNanos()) : -1,
                strength(one.guarantee()) <= strength(other.guarantee()) ? one.guarantee() : other.guarantee(),
                Math.min(one.restNanos(), other.restNanos()));
    }

    private static String later(String one, String other) {
        return one.compareTo(other) >= 0 ? one : other;
    }

    private static String earlier(String one, String other) {
        return Instant.parse(one).isBefore(Instant.parse(other)) ? one : other;
    }

    /// Greater for a guarantee that promises more.
    private static int strength(String guarantee) {
        if (guarantee.equals(Guarantee.COMPLETE)) return 3;
        if (guarantee.startsWith(Guarantee.COMPLETE)) return 2;
        return guarantee.startsWith(Guarantee.SETTLED) ? 1 : 0;
    }

    @Override
    public boolean meets(Asked asked, Set<String> copies, long mark) {
        for (String copy : copies) {
            Optional<TableRunner> table = tables.ofCopy(copy);
            if (table.isPresent() && !meets(asked, table.get(), mark)) return false;
        }
        return true;
    }

    private boolean meets(Asked asked, TableRunner table, long mark) {
        FreshnessDemand demand = asked.demand();
        if (!demand.isAny()) return true;
        Optional<TableFreshness> known = freshness.at(table.name(), mark);
        if (known.isEmpty()) return false;
        TableFreshness has = known.get();
        boolean isTooOld = demand.maxStaleness()
                .filter(most -> has.age(asked.atNanos())
                        .filter(age -> age.compareTo(most) <= 0)
                        .isEmpty())
                .isPresent();
        if (isTooOld) return false;
        // A browser sends its cookie to whatever source is behind the address now.
        if (demand.remembered().map(has::fit).equals(Optional.of(Fit.NOT_YET))) return false;
        for (FreshnessToken token : demand.after()) {
            switch (has.fit(token)) {
                case SEEN -> {}
                case NOT_YET -> {
                    return false;
                }
                case OTHER_SYSTEM ->
                    throw Fault.INVALID_REQUEST.saying(
                            "The freshness token %s is of another database server than the one that is replicated here."
                                    .formatted(token));
                case OTHER_TIMELINE ->
                    throw Fault.CONFLICT.saying(
                            "The freshness token %s is of an earlier timeline: another server has taken over since, and what the token names may be lost. Read without it."
                                    .formatted(token));
            }
        }
        return true;
    }

    @Override
    public void refuse(Asked asked, Set<String> copies) {
        List<TableRunner> stale = stale(asked, found(copies));
        if (!stale.isEmpty()) throw refusal(asked, stale, whyNot(stale).orElse("it was asked not to wait"));
    }

    @Override
    public void await(Asked asked, Set<String> copies, Duration limit, Cancellation cancellation) {
        await(asked, found(copies), limit, cancellation);
    }

    /// As [#await(Asked, Set, Duration, Cancellation)], for tables.
    void await(Asked asked, Collection<TableRunner> wanted, Duration limit, Cancellation cancellation) {
        if (!places.tryAcquire()) {
            throw Fault.BUSY.saying("%d requests already wait for fresher copies.".formatted(MAX_WAITING));
        }
        Thread thread = Thread.currentThread();
        try (CopyFreshness.Waiting _ =
                freshness.waitFor(wanted.stream().map(TableRunner::name).toList())) {
            cancellation.begin(() -> LockSupport.unpark(thread));
            awaitStale(asked, wanted, System.nanoTime() + limit.toNanos(), cancellation);
        } finally {
            cancellation.end();
            places.release();
        }
    }

    private void awaitStale(Asked asked, Collection<TableRunner> wanted, long endNanos, Cancellation cancellation) {
        Duration pause = minInterval;
        while (true) {
            cancellation.check();
            List<TableRunner> stale = stale(asked, wanted);
            if (stale.isEmpty()) return;
            Optional<String> why = whyNot(stale);
            if (why.isPresent()) throw refusal(asked, stale, why.get());
            long restNanos = endNanos - System.nanoTime();
            if (restNanos <= 0) throw refusal(asked, stale, "it did not become so in time");
            long nextNanos = restNanos;
            for (TableRunner table : stale) {
                nextNanos = Math.min(nextNanos, syncs.ask(table, pause).toNanos());
            }
            LockSupport.parkNanos(nextNanos);
            if (Thread.interrupted()) throw Fault.CLOSED.saying("The wait for fresher copies was interrupted.");
            Duration longer = pause.plus(pause.dividedBy(4));
            if (longer.compareTo(MAX_PAUSE) <= 0) pause = longer;
        }
    }

    private List<TableRunner> found(Set<String> copies) {
        return copies.stream().flatMap(copy -> tables.ofCopy(copy).stream()).toList();
    }

    private List<TableRunner> stale(Asked asked, Collection<TableRunner> wanted) {
        long mark = freshness.now();
        List<TableRunner> stale = new ArrayList<>();
        for (TableRunner table : wanted) {
            boolean isThere = tables.find(table.name()).isPresent();
            if (isThere && !meets(asked, table, mark)) stale.add(table);
        }
        return stale;
    }

    /// Why nothing will make one of the tables fresher for now.
    private Optional<String> whyNot(List<TableRunner> stale) {
        for (TableRunner table : stale) {
            if (table.isPaused()) {
                return Optional.of("its replication is paused; resume it with `perigee tables resume %s`"
                        .formatted(Remedies.word(table.name())));
            }
            if (table.isFailing() && !table.isBusy()) {
                return Optional.of("its last sync failed; see `perigee status` for why");
            }
        }
        return Optional.empty();
    }

    private PerigeeException refusal(Asked asked, List<TableRunner> stale, String why) {
        long mark = freshness.now();
        List<Stale> tables = stale.stream().map(table -> stale(table, mark)).toList();
        Stale first = tables.getFirst();
        String age = first.behindMillis()
                .map(" It is %,d ms old."::formatted)
                .orElse(
                        first.asOf().isEmpty()
                                ? " It is not known how old it is."
                                : " It is as of %s.".formatted(first.asOf()));
        Optional<Duration> eta = stale.stream().anyMatch(TableRunner::isPaused)
                ? Optional.empty()
                : Optional.of(stale.stream()
                        .map(this::untilDue)
                        .max(Duration::compareTo)
                        .orElse(Duration.ZERO));
        return new StaleException(
                "The copy of the table %s is not as fresh as the request wants (%s): %s.%s"
                        .formatted(first.table(), wanted(asked.demand()), why, age),
                tables,
                eta);
    }

    private Stale stale(TableRunner table, long mark) {
        Optional<TableFreshness> has = freshness.at(table.name(), mark);
        return new Stale(
                table.name(),
                has.map(TableFreshness::time).orElse(""),
                has.flatMap(known -> known.age(System.nanoTime())).map(Duration::toMillis));
    }

    private Duration untilDue(TableRunner table) {
        Duration rest = table.due()
                .map(due -> Duration.between(clock.instant(), due))
                .filter(Duration::isPositive)
                .orElse(Duration.ZERO);
        return rest.compareTo(minInterval) < 0 ? minInterval : rest;
    }

    private static String wanted(FreshnessDemand demand) {
        List<String> words = new ArrayList<>();
        demand.maxStaleness().ifPresent(most -> words.add("at most %d ms old".formatted(most.toMillis())));
        demand.after().forEach(token -> words.add("after " + token));
        demand.remembered().ifPresent(token -> words.add("after " + token));
        return String.join(", ", words);
    }
}
