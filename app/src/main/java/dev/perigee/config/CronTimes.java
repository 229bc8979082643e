package dev.perigee.config;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/// The times that a cron expression names in a time zone.
public final class CronTimes {
    private final ExecutionTime times;
    private final ZoneId zone;

    private CronTimes(ExecutionTime times, ZoneId zone) {
        this.times = times;
        this.zone = zone;
    }

    /// @param expression five fields, minute first
    /// @throws IllegalArgumentException saying what is wrong with it
    public static CronTimes of(String expression, ZoneId zone) {
        ExecutionTime times =
                ExecutionTime.forCron(new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX))
                        .parse(expression)
                        .validate());
        if (times.nextExecution(Instant.EPOCH.atZone(zone)).isEmpty()) {
            throw new IllegalArgumentException("it names no time at all");
        }
        return new CronTimes(times, zone);
    }

    /// @throws IllegalArgumentException where there is no such zone
    public static ZoneId zone(String name) {
        try {
            return name.equals("UTC") ? ZoneOffset.UTC : ZoneId.of(name);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("there is no time zone \"%s\"".formatted(name), e);
        }
    }

    /// The first of them after `instant`.
    public Instant after(Instant instant) {
        return times.nextExecution(instant.atZone(zone)).orElseThrow().toInstant();
    }
}
