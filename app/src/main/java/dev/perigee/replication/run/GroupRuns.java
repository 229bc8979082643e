package dev.perigee.replication.run;

import dev.perigee.fault.Fault;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync.Member;
import dev.perigee.replication.sync.ThreadFailures;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/// Gathers the tables of a group so that they are synced together. The thread of the first table leads the round: it
/// starts the syncs of the other tables, waits until all have joined, and then syncs them all. Safe for many threads.
final class GroupRuns {
    /// How long the leader waits for the other tables to join. Joining only takes the start of their threads, unless
    /// other work on a table is running.
    static final Duration GATHER_LIMIT = Duration.ofSeconds(30);

    private static final long LOOK_MILLIS = 20;

    /// Syncs the members of a closed round; its results are in the order of `members`.
    @FunctionalInterface
    interface Work {
        List<SyncResult> run(List<Member> members) throws InterruptedException;
    }

    private static final class Round {
        final Map<TableRunner, Member> members = new LinkedHashMap<>();
        final CompletableFuture<Map<TableRunner, SyncResult>> results = new CompletableFuture<>();
        boolean isClosed;
    }

    private final Map<String, Round> rounds = new HashMap<>();

    /// Syncs `runner`'s table together with all others of its group, and returns its own result. Called on the thread
    /// of each table's sync; blocks until the whole group has been synced.
    ///
    /// @param others the tables of the group that should take part; asked again and again while the round gathers
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] if a table does not join within [#GATHER_LIMIT]; or the
    ///     failure of `work`. Every member of the round gets the same exception
    SyncResult run(String group, TableRunner runner, Member member, Supplier<List<TableRunner>> others, Work work)
            throws InterruptedException {
        while (true) {
            Round round;
            boolean isFirst;
            synchronized (this) {
                round = rounds.computeIfAbsent(group, _ -> new Round());
                isFirst = round.members.isEmpty();
                if (!round.isClosed) round.members.put(runner, member);
            }
            if (isFirst) return lead(group, round, runner, others, work);
            SyncResult result = wait(round, runner);
            if (result != null) return result;
        }
    }

    private SyncResult lead(
            String group, Round round, TableRunner runner, Supplier<List<TableRunner>> others, Work work)
            throws InterruptedException {
        try {
            gather(group, round, others);
            List<TableRunner> runners = new ArrayList<>(round.members.keySet());
            List<SyncResult> results = work.run(new ArrayList<>(round.members.values()));
            Map<TableRunner, SyncResult> byRunner = new HashMap<>();
            for (int i = 0; i < runners.size(); i++) byRunner.put(runners.get(i), results.get(i));
            round.results.complete(byRunner);
            return results.get(runners.indexOf(runner));
        } catch (RuntimeException | InterruptedException e) {
            round.results.completeExceptionally(e);
            throw e;
        } finally {
            synchronized (this) {
                rounds.remove(group, round);
            }
        }
    }

    /// Nobody joins a round once its tables are being synced: what is asked for later wants a later snapshot.
    private void gather(String group, Round round, Supplier<List<TableRunner>> others) throws InterruptedException {
        long end = System.nanoTime() + GATHER_LIMIT.toNanos();
        while (true) {
            List<TableRunner> missing;
            synchronized (this) {
                missing = others.get().stream()
                        .filter(other -> !round.members.containsKey(other))
                        .toList();
                if (missing.isEmpty()) {
                    round.isClosed = true;
                    return;
                }
            }
            if (System.nanoTime() - end > 0) {
                throw Fault.BUSY.in(
                        "group " + group,
                        "its table %s did not become ready to be synced within %d s"
                                .formatted(missing.getFirst().name(), GATHER_LIMIT.toSeconds()),
                        "Nothing was pulled");
            }
            for (TableRunner other : missing) {
                CompletableFuture<SyncResult> _ = other.sync(); // its thread calls run() and joins
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    /// @return null if the round was closed before this table could join
    private static @org.jspecify.annotations.Nullable SyncResult wait(Round round, TableRunner runner)
            throws InterruptedException {
        try {
            return round.results.get().get(runner);
        } catch (ExecutionException e) {
            throw ThreadFailures.unwrapped(e);
        }
    }
}
