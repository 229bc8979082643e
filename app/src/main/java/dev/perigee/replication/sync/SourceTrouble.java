package dev.perigee.replication.sync;

import dev.perigee.fault.Fault;
import dev.perigee.replication.state.Problem;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Trouble of the source as a whole: told once, however many tables it holds up, and its end too.
///
/// A source that cannot be reached, or that lets nobody in, fails every table that is due. The first failure is logged
/// and begins the trouble; tables that fail the same way join it silently; whatever the source answers next ends it.
/// Safe for many threads.
public final class SourceTrouble {
    /// Tables named in a line of the log at most.
    private static final int MAX_NAMED = 20;

    /// Faults that only a source can raise that was asked and has answered.
    private static final Set<String> ANSWERS = Stream.of(
                    Fault.SOURCE_PERMISSION,
                    Fault.SOURCE_ROWS_HIDDEN,
                    Fault.SOURCE_TABLE_MISSING,
                    Fault.SOURCE_COLUMN_MISSING,
                    Fault.SOURCE_SCHEMA_CHANGED,
                    Fault.SOURCE_BEHIND_CURSOR,
                    Fault.SOURCE_REPLACED)
            .map(Fault::name)
            .collect(Collectors.toUnmodifiableSet());

    private static final Logger LOG = LoggerFactory.getLogger(SourceTrouble.class);

    private final InstantSource clock;
    private final Consumer<List<String>> ended;
    private final Set<String> tables = new LinkedHashSet<>();
    private @Nullable Problem problem;
    private @Nullable Instant since;
    private boolean isTold;

    // Since their last success. A table whose own pull ends its connection each time would be tried without a pause.
    private final Set<String> hastened = new HashSet<>();

    // A table that fails again and again, between others that succeed, is told of once. So is one that failed already
    // before Perigee was started.
    private boolean wasTold;

    /// @param ended is told, once the source answers again, which tables it held up and should be tried at once
    public SourceTrouble(InstantSource clock, Consumer<List<String>> ended) {
        this.clock = clock;
        this.ended = ended;
    }

    /// What stands in the way now, and of which tables; empty while the source answers.
    public synchronized Optional<SourceStatus> now() {
        Problem current = problem;
        Instant began = since;
        if (current == null || began == null) return Optional.empty();
        return Optional.of(
                new SourceStatus(current.fault(), current.message(), current.remedy(), began, List.copyOf(tables)));
    }

    /// Something that was done for a table has failed.
    ///
    /// @param isNews whether the table has not failed like this before
    /// @return whether it is the source's trouble, of which nothing is to be said for this table
    public boolean failed(String table, Problem failure, boolean isNews) {
        if (!failure.concernsSource()) {
            // It has said what it refuses, so it is there.
            if (ANSWERS.contains(failure.fault())) answered();
            return false;
        }
        synchronized (this) {
            tables.add(table);
            if (problem == null) since = clock.instant();
            // The latest, since a source that starts again refuses in other words than one that is away.
            problem = new Problem(
                    failure.fault(),
                    failure.message().replace(" in table " + table + ": ", " in the source: "),
                    failure.remedy());
            if (isTold || (wasTold && !isNews)) return true;
            isTold = true;
            wasTold = true;
            LOG.warn("{} Tables wait until it answers again, table {} is the first", problem.message(), table);
        }
        return true;
    }

    /// A table was synced, so the source answers: what trouble there was is over.
    void succeeded(String table) {
        synchronized (this) {
            hastened.remove(table);
        }
        answered();
    }

    private void answered() {
        List<String> held;
        synchronized (this) {
            Instant began = since;
            if (problem == null || began == null) return;
            held = List.copyOf(tables);
            if (isTold) {
                LOG.info(
                        "the source answers again after {} s; it held up {} tables: {}",
                        Math.max(0, clock.instant().getEpochSecond() - began.getEpochSecond()),
                        held.size(),
                        held.stream().limit(MAX_NAMED).collect(Collectors.joining(", "))
                                + (held.size() > MAX_NAMED ? ", …" : ""));
            }
            tables.clear();
            problem = null;
            since = null;
            isTold = false;
            held = held.stream().filter(hastened::add).toList();
        }
        ended.accept(held);
    }

    /// A table that is removed is held up no longer.
    public synchronized void removed(String table) {
        tables.remove(table);
        hastened.remove(table);
    }
}
