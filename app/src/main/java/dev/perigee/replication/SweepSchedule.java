package dev.perigee.replication;

import dev.perigee.config.Deletes;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.Sweep.Verdict;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// When a table is swept next: its interval after the last sweep ended. One that failed for a reason that may pass is
/// made again sooner.
final class SweepSchedule {
    /// Time after a failed sweep, where the interval is longer.
    static final Duration RETRY = Duration.ofSeconds(60);

    private SweepSchedule() {}

    /// @param at when the last one ended, or when the table was first looked at
    /// @return empty for tables that are not swept
    static Optional<Instant> next(TableConfig config, Verdict verdict, Instant at, Optional<Problem> error) {
        if (!(config.deletes() instanceof Deletes.Sweep(Duration interval))) return Optional.empty();
        boolean isSooner = verdict == Verdict.FAILED && error.filter(Problem::isRetryable).isPresent();
        return Optional.of(at.plus(isSooner && interval.compareTo(RETRY) > 0 ? RETRY : interval));
    }

    /// As [#next], after `last`: whatever the interval was then.
    static Optional<Instant> next(TableConfig config, Sweep last) {
        return next(config, last.verdict(), last.at(), last.error());
    }
}
