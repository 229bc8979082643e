package dev.perigee.replication;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import dev.perigee.config.TableConfig;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/// The rule that sets a table's next sync after one that succeeded.
sealed interface Schedule {
    /// @param started when the last sync began
    /// @param finished when it ended
    Instant next(Instant started, Instant finished);

    /// From start to start; a sync that takes longer than the interval is followed by the next at once.
    record Every(Duration interval) implements Schedule {
        @Override
        public Instant next(Instant started, Instant finished) {
            Instant due = started.plus(interval);
            return due.isBefore(finished) ? finished : due;
        }
    }

    /// The next time the expression names after the sync ended.
    record Cron(ExecutionTime times, ZoneId zone) implements Schedule {
        @Override
        public Instant next(Instant started, Instant finished) {
            return times.nextExecution(finished.atZone(zone)).orElseThrow().toInstant();
        }
    }

    /// @throws IllegalArgumentException saying what is wrong with the cron expression or the zone
    static Schedule of(TableConfig config) {
        if (config.cron().isEmpty()) return new Every(config.interval());
        return cron(config.cron().get(), zone(config.timeZone().orElse("UTC")));
    }

    /// @throws IllegalArgumentException where there is no such zone
    static ZoneId zone(String name) {
        try {
            return name.equals("UTC") ? ZoneOffset.UTC : ZoneId.of(name);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("there is no time zone \"%s\"".formatted(name), e);
        }
    }

    private static Schedule cron(String expression, ZoneId zone) {
        ExecutionTime times =
                ExecutionTime.forCron(new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX))
                        .parse(expression)
                        .validate());
        if (times.nextExecution(Instant.EPOCH.atZone(zone)).isEmpty()) {
            throw new IllegalArgumentException("it names no time at all");
        }
        return new Cron(times, zone);
    }
}
