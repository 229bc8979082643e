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

/// Tracks trouble of the source as a whole. Its beginning and its end are logged once, however many tables it holds up.
///
/// A source that cannot be reached, or that lets nobody in, fails every table that is due. The first failure begins the
/// trouble and is logged. Tables that fail the same way join it silently. It ends with the next answer of the source,
/// even if that is an error about one table. Safe for many threads.
public final class SourceTrouble {
    /// Tables named in one line of the log at most.
    private static final int MAX_NAMED = 20;

    /// Faults that prove that the source was reached and has answered.
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

    // Tables that were tried at once when the source answered again, and have not succeeded since. They are not
    // hastened again: a table whose own pull breaks the connection each time would be tried without a pause.
    private final Set<String> hastened = new HashSet<>();

    // Whether trouble was logged since the start. From then on, trouble is logged only if it begins with a new kind of
    // failure of a table. So a table that fails again and again, between others that succeed, is logged once. So is a
    // table that failed already before Perigee was started.
    private boolean wasTold;

    /// @param ended is given the tables that were held up and should be tried at once, when the source answers again
    public SourceTrouble(InstantSource clock, Consumer<List<String>> ended) {
        this.clock = clock;
        this.ended = ended;
    }

    /// The present trouble and the tables it holds up; empty while the source answers.
    public synchronized Optional<SourceStatus> now() {
        Problem current = problem;
        Instant began = since;
        if (current == null || began == null) return Optional.empty();
        return Optional.of(
                new SourceStatus(current.fault(), current.message(), current.remedy(), began, List.copyOf(tables)));
    }

    /// Records that something done for a table has failed.
    ///
    /// @param isNews whether the table did not fail like this before
    /// @return whether it is the source's trouble, so that the caller does not log it for this table
    public boolean failed(String table, Problem failure, boolean isNews) {
        if (!failure.concernsSource()) {
            // The source has said what it refuses, so it answers.
            if (ANSWERS.contains(failure.fault())) answered();
            return false;
        }
        synchronized (this) {
            tables.add(table);
            if (problem == null) since = clock.instant();
            // Keep the latest: a source that is starting refuses in other words than a source that is down.
            problem = new Problem(
                    failure.fault(),
                    failure.message().replace(" in table " + table + ": ", " in the source: "),
                    failure.remedy());
            if (isTold || (wasTold && !isNews)) return true;
            isTold = true;
            wasTold = true;
            LOG.warn("{} Tables wait until the source answers again; table {} is the first", problem.message(), table);
        }
        return true;
    }

    /// Records that a table was synced. So the source answers, and any trouble is over.
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
                        "the source answers again after {} s; {} tables had to wait: {}",
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

    /// To be called when a table is removed: it is no longer held up.
    public synchronized void removed(String table) {
        tables.remove(table);
        hastened.remove(table);
    }
}
