package dev.perigee.replication.run;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.replication.log.LogTables;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/// The tables in mode `log`, for the follower of the source's log.
final class FollowedTables implements LogTables {
    private final InstantSource clock;
    private final Supplier<Collection<TableRunner>> runners;
    private final Runnable rescheduling;

    /// @param runners gives all tables
    /// @param rescheduling called when a table has become due
    FollowedTables(InstantSource clock, Supplier<Collection<TableRunner>> runners, Runnable rescheduling) {
        this.clock = clock;
        this.runners = runners;
        this.rescheduling = rescheduling;
    }

    @Override
    public List<TableConfig> followed() {
        return runners.get().stream()
                .filter(runner -> runner.config().mode() == Mode.LOG && !runner.isPaused())
                .map(TableRunner::config)
                .toList();
    }

    @Override
    public void outdated(String table) {
        runners.get().stream()
                .filter(runner -> runner.name().equals(table))
                .forEach(runner -> runner.setDue(clock.instant()));
        rescheduling.run();
    }

    @Override
    public void passed(Collection<String> tables, Instant asOf) {
        Instant now = clock.instant();
        Set<String> names = Set.copyOf(tables);
        for (TableRunner runner : runners.get()) {
            if (names.contains(runner.name())) runner.passed(new AsOf(asOf, now));
        }
    }
}
