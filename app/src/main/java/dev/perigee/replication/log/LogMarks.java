package dev.perigee.replication.log;

import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Look;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableDefinition;
import dev.perigee.source.TableId;
import dev.perigee.source.VisibleTransactions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds out how fresh the copies are. The log tells positions and no snapshots. So now and then, and when a reader
/// waits, the source is asked for a snapshot, and after it for the end of its log. Once everything before that end was
/// applied, the copies have what the snapshot shows.
///
/// The same look tells whether the definition of a table has changed. Asking makes the source write a little, so that
/// its log can be given up also while nothing changes. Safe for many threads.
final class LogMarks {
    /// Time between two marks while nobody waits.
    private static final Duration EVERY = Duration.ofSeconds(1);

    /// Time between two looks at how much of its log the source keeps.
    private static final Duration STANDING = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(LogMarks.class);

    /// @param takenNanos [System#nanoTime] before the snapshot was taken
    /// @param end a position of the log behind everything that the snapshot shows
    record Mark(VisibleTransactions visible, Instant asOf, long takenNanos, long end) {}

    private final Source source;
    private final SourceLog log;
    private final String name;
    private final List<TableId> tables;
    private final Map<TableId, TableDefinition> definitions;
    private @Nullable Mark pending;
    private boolean isDemanded = true;
    private boolean isClosed;
    private volatile boolean isOutdated;
    private volatile long end;
    private volatile long retained = -1;
    private long standingNanos = System.nanoTime() - STANDING.toNanos();

    /// @param name of the follower
    /// @param definitions of the tables, from before anything was known about them
    LogMarks(Source source, SourceLog log, String name, Map<TableId, TableDefinition> definitions) {
        this.source = source;
        this.log = log;
        this.name = name;
        this.tables = List.copyOf(definitions.keySet());
        this.definitions = definitions;
    }

    /// Takes marks until [#close]. Runs on a thread of its own.
    void run() {
        long takenNanos = System.nanoTime();
        while (isDue(takenNanos)) {
            takenNanos = System.nanoTime();
            try {
                Optional<Mark> taken = take(takenNanos);
                synchronized (this) {
                    pending = taken.orElse(null);
                }
            } catch (PerigeeException e) { // the stream fails with it too, if it concerns the source
                LOG.debug("the source does not tell how fresh its log is: {}", e.getMessage());
            }
        }
    }

    /// Has a mark taken at once. A mark that is under way may be from before this call.
    synchronized void demand() {
        isDemanded = true;
        notifyAll();
    }

    /// The mark under way, if everything before its end was applied. Another one may be taken then.
    ///
    /// @param reader whose log it is
    /// @param applied everything before this position was applied
    synchronized Optional<Mark> reached(SourceLog.Reader reader, long applied) {
        Mark mark = pending;
        if (mark == null || Long.compareUnsigned(applied, reader.reachable(mark.end())) < 0) return Optional.empty();
        pending = null;
        notifyAll();
        return Optional.of(mark);
    }

    /// Whether the definition of a table has changed.
    boolean isOutdated() {
        return isOutdated;
    }

    /// The last known end of the source's log; 0 before the first mark.
    long end() {
        return end;
    }

    /// Bytes of its log that the source keeps for the follower; -1 where that is not known.
    long retained() {
        return retained;
    }

    synchronized void close() {
        isClosed = true;
        notifyAll();
    }

    private Optional<Mark> take(long takenNanos) {
        Optional<Look> look = source.look(List.of(new Look.Portion(tables, List.of(), true)));
        if (look.isEmpty()) return Optional.empty();
        // A definition that a lock hides now may be as before.
        boolean isSame = look.get().definitions().equals(definitions)
                || tables.stream()
                        .allMatch(table -> isSame(look.get().definitions().get(table), table));
        if (!isSame) isOutdated = true;
        if (takenNanos - standingNanos >= STANDING.toNanos()) {
            standingNanos = takenNanos;
            retained = log.standing(name).map(SourceLog.Standing::retained).orElse(-1L);
        }
        SourceVersion.At at = look.get().at();
        long position = log.flush();
        end = position;
        return Optional.of(
                new Mark(VisibleTransactions.parse(at.version().snapshot(), true), at.asOf(), takenNanos, position));
    }

    private boolean isSame(@Nullable TableDefinition now, TableId table) {
        TableDefinition before = definitions.get(table);
        return now != null && before != null && now.isSame(before);
    }

    /// Waits until a mark is to be taken.
    ///
    /// @return false if no more are
    private synchronized boolean isDue(long lastNanos) {
        while (!isClosed) {
            long restNanos = EVERY.toNanos() - (System.nanoTime() - lastNanos);
            if (pending == null && (isDemanded || restNanos <= 0)) {
                isDemanded = false;
                return true;
            }
            try {
                wait(Math.max(1, restNanos / 1_000_000));
            } catch (InterruptedException _) {
                return false;
            }
        }
        return false;
    }
}
