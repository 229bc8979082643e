package dev.perigee.replication.run;

import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes now and then up to when the copies are complete, as looks have shown it. What a crash loses of it is shown
/// again by the first look after the start.
final class AsOfRecorder {
    /// Shortest time between two records.
    static final Duration EVERY = Duration.ofMinutes(5);

    private static final Logger LOG = LoggerFactory.getLogger(AsOfRecorder.class);

    private final Store store;
    private final InstantSource clock;
    private final Supplier<Collection<TableRunner>> runners;
    private Instant last;

    AsOfRecorder(Store store, InstantSource clock, Supplier<Collection<TableRunner>> runners) {
        this.store = store;
        this.clock = clock;
        this.runners = runners;
        this.last = clock.instant();
    }

    /// Writes what is known, if it is time to.
    void recordSometimes() {
        Instant now = clock.instant();
        synchronized (this) {
            if (Duration.between(last, now).abs().compareTo(EVERY) < 0) return;
            last = now;
        }
        record();
    }

    /// Writes what is known, in one transaction.
    void record() {
        Map<String, AsOf> shown = new HashMap<>();
        runners.get().forEach(runner -> runner.asOf().ifPresent(asOf -> shown.put(runner.name(), asOf)));
        if (shown.isEmpty()) return;
        try {
            store.write(tx -> {
                shown.forEach((name, asOf) -> StateRecords.unchangedAsOf(tx, name, asOf.complete(), asOf.fresh()));
                return true;
            });
        } catch (PerigeeException e) { // the disk may be full: the next look shows it again
            LOG.warn("up to when the copies are complete could not be recorded: {}", e.getMessage());
        }
    }
}
