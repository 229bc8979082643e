package dev.perigee.replication.run;

import dev.perigee.config.CronTimes;
import dev.perigee.config.TableConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// The rule that sets when a table is synced next, after a sync that succeeded.
sealed interface Schedule {
    /// @param started when the last sync began
    /// @param finished when it ended
    Instant next(Instant started, Instant finished);

    /// A fixed interval, counted from start to start. After a sync that took longer than the interval, the next is due
    /// at once.
    record Every(Duration interval) implements Schedule {
        @Override
        public Instant next(Instant started, Instant finished) {
            // If the clock was set back during the sync, its start may lie after its end.
            Instant begun = started.isAfter(finished) ? finished : started;
            Instant due = begun.plus(interval);
            return due.isBefore(finished) ? finished : due;
        }
    }

    /// An interval that grows while nothing changes: a quarter of the time since the last change, but not less than
    /// `active` and not more than `idle`.
    ///
    /// @param changedAt when the table was last seen to change
    record Adaptive(Duration active, Duration idle, Instant changedAt) implements Schedule {
        private static final int PART = 4;

        @Override
        public Instant next(Instant started, Instant finished) {
            Duration quiet = Duration.between(changedAt, finished).dividedBy(PART);
            Duration interval = quiet.compareTo(active) < 0 ? active : quiet.compareTo(idle) > 0 ? idle : quiet;
            return new Every(interval).next(started, finished);
        }
    }

    /// A cron expression: the next sync is due at the first time that matches after the last one ended.
    record Cron(CronTimes times) implements Schedule {
        @Override
        public Instant next(Instant started, Instant finished) {
            return times.after(finished);
        }
    }

    /// The schedule in a table's settings: its cron expression if it has one, in UTC unless a time zone is set; else
    /// its interval.
    ///
    /// @param changedAt when the table was last seen to change
    /// @throws IllegalArgumentException saying what is wrong with the cron expression or the zone
    static Schedule of(TableConfig config, Instant changedAt) {
        // The changes come by themselves, so that only what went wrong makes the table due.
        if (config.mode() == TableConfig.Mode.LOG) return new Every(TableConfig.MAX_INTERVAL);
        Optional<Duration> idle = config.schedule().idleInterval();
        if (config.cron().isEmpty() && idle.isPresent()) return new Adaptive(config.interval(), idle.get(), changedAt);
        if (config.cron().isEmpty()) return new Every(config.interval());
        return new Cron(CronTimes.of(
                config.cron().get(), CronTimes.zone(config.timeZone().orElse("UTC"))));
    }
}
