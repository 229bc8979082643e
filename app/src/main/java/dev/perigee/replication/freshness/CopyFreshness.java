package dev.perigee.replication.freshness;

import dev.perigee.source.VisibleTransactions;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// How fresh the copies are, in memory. After a restart a copy's freshness is unknown until its next sync, except as of
/// when it was. Safe for many threads.
///
/// A read may use only what was recorded before the read began: its own snapshot of the replica may lack what was
/// committed since. So it takes a mark ([#now]) first, and asks for the freshness as of that mark.
public final class CopyFreshness {
    /// How many records of a table are kept for reads that began before the last one.
    private static final int KEPT = 4;

    /// @param number of the record; a mark covers the records up to its own number
    private record Entry(
            TableFreshness freshness, long number, @Nullable Entry before) {
        /// The same with at most `kept` records in all.
        Entry cut(int kept) {
            if (before == null || kept <= 1) return new Entry(freshness, number, null);
            return new Entry(freshness, number, before.cut(kept - 1));
        }
    }

    private final Map<String, Entry> tables = new ConcurrentHashMap<>();
    private final Map<String, Set<Thread>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong numbers = new AtomicLong();
    private final SettledLog log = new SettledLog();

    /// A mark for a read that begins after this call.
    public long now() {
        return numbers.get();
    }

    /// The freshness that a read has which took this mark before it began.
    ///
    /// @param table the name the table is configured by
    /// @return empty where it is not known
    public Optional<TableFreshness> at(String table, long mark) {
        for (Entry entry = tables.get(table); entry != null; entry = entry.before()) {
            if (entry.number() <= mark) return Optional.of(entry.freshness());
        }
        return Optional.empty();
    }

    /// Records that a table has everything that was visible at `moment`, and wakes the threads that wait for it. To be
    /// called when a sync with nothing left to look for was committed to the replica. An earlier moment than the
    /// recorded one changes nothing.
    ///
    /// @param guarantee what is promised about the copy
    public void record(String table, SourceMoment moment, String guarantee) {
        OptionalLong settled = log.saw(moment, System.nanoTime());
        put(table, TableFreshness.of(moment, settled, guarantee));
        wake(table);
    }

    /// Records that tables have everything that was visible when a look at the source found that they have nothing new.
    /// Their guarantees stay. The look must be at the server, and its run, that their last records are of. Tables that
    /// have none since the start are left out.
    ///
    /// @param visible the transactions that the look sees
    /// @param asOf a time by the source's clock up to which it has everything that was committed
    /// @param takenNanos [System#nanoTime] before the look
    public void unchanged(Collection<String> names, VisibleTransactions visible, Instant asOf, long takenNanos) {
        SourceMoment now = null;
        OptionalLong settled = OptionalLong.empty();
        for (String table : names) {
            Entry known = tables.get(table);
            if (known == null || known.freshness().moment().isEmpty()) continue;
            SourceMoment before = known.freshness().moment().get();
            if (now == null || !now.history().equals(before.history())) {
                now = before.later(visible, asOf, takenNanos);
                settled = log.saw(now, System.nanoTime());
            }
            put(table, TableFreshness.of(now, settled, known.freshness().guarantee()));
            wake(table);
        }
    }

    /// Records what the replica remembers of a table at the start.
    public void remember(String table, Optional<Instant> asOf, String guarantee) {
        put(table, TableFreshness.remembered(asOf, guarantee));
    }

    /// Forgets a table whose copy is about to be replaced or given up.
    public void forget(String table) {
        tables.remove(table);
    }

    private void put(String table, TableFreshness freshness) {
        tables.compute(table, (_, known) -> {
            if (known != null && isBefore(freshness, known.freshness())) return known;
            return new Entry(freshness, numbers.incrementAndGet(), known).cut(KEPT);
        });
    }

    private static boolean isBefore(TableFreshness one, TableFreshness other) {
        if (other.moment().isEmpty()) return false;
        return one.moment().isEmpty()
                || one.moment().get().takenNanos() - other.moment().get().takenNanos() < 0;
    }

    /// Wakes the threads that wait for a table, such as after a sync that failed.
    public void wake(String table) {
        for (Thread thread : waiting.getOrDefault(table, Set.of())) LockSupport.unpark(thread);
    }

    /// Whether a reader waits for the table. A sync then looks for everything, also for what it usually looks for less
    /// often.
    public boolean isAwaited(String table) {
        return waiting.containsKey(table);
    }

    /// Has the calling thread unparked when one of these tables is recorded, until the returned object is closed. A
    /// thread registers, then checks, then parks, so that it misses nothing.
    public Waiting waitFor(Collection<String> names) {
        Thread thread = Thread.currentThread();
        List<String> own = List.copyOf(names);
        for (String table : own) {
            waiting.compute(table, (_, threads) -> {
                Set<Thread> all = threads == null ? ConcurrentHashMap.newKeySet() : threads;
                all.add(thread);
                return all;
            });
        }
        return () -> own.forEach(table -> waiting.computeIfPresent(table, (_, threads) -> {
            threads.remove(thread);
            return threads.isEmpty() ? null : threads;
        }));
    }

    /// A thread that waits for tables.
    public interface Waiting extends AutoCloseable {
        @Override
        void close();
    }
}
