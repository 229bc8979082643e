package dev.perigee.replication.run;

import dev.perigee.config.CronTimes;
import dev.perigee.config.TableConfig;
import java.time.Duration;
import java.time.Instant;

/// The rule that sets a table's next sync after one that succeeded.
sealed interface Schedule {
    /// @param started when the last sync began
    /// @param finished when it ended
    Instant next(Instant started, Instant finished);

    /// From start to start; a sync that takes longer than the interval is followed by the next at once.
    record Every(Duration interval) implements Schedule {
        @Override
        public Instant next(Instant started, Instant finished) {
            // It begins after it ends where the clock was set back meanwhile.
            Instant begun = started.isAfter(finished) ? finished : started;
            Instant due = begun.plus(interval);
            return due.isBefore(finished) ? finished : due;
        }
    }

    /// The next time the expression names after the sync ended.
    record Cron(CronTimes times) implements Schedule {
        @Override
        public Instant next(Instant started, Instant finished) {
            return times.after(finished);
        }
    }

    /// @throws IllegalArgumentException saying what is wrong with the cron expression or the zone
    static Schedule of(TableConfig config) {
        if (config.cron().isEmpty()) return new Every(config.interval());
        return new Cron(CronTimes.of(
                config.cron().get(), CronTimes.zone(config.timeZone().orElse("UTC"))));
    }
}
