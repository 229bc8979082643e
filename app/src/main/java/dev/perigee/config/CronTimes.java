package dev.perigee.config;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;

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
        ExecutionTime times = parsed(expression);
        if (times.nextExecution(Instant.EPOCH.atZone(zone)).isEmpty()) {
            throw new IllegalArgumentException("it names no time at all");
        }
        return new CronTimes(times, zone);
    }

    private static ExecutionTime parsed(String expression) {
        try {
            return ExecutionTime.forCron(new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX))
                    .parse(expression)
                    .validate());
        } catch (IllegalArgumentException e) {
            throw e;
        } catch (RuntimeException e) {
            // The parser meets a field such as `6-/` with an index out of bounds.
            throw new IllegalArgumentException("it cannot be read", e);
        }
    }

    /// @throws IllegalArgumentException where there is no such zone
    public static ZoneId zone(String name) {
        try {
            return name.equals("UTC") ? ZoneOffset.UTC : ZoneId.of(name);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("there is no time zone \"%s\"".formatted(name), e);
        }
    }

    /// The first of them after `instant`. A time that the zone's clock leaves out is when the clock goes on.
    public Instant after(Instant instant) {
        Instant next = times.nextExecution(instant.atZone(zone)).orElseThrow().toInstant();
        ZoneOffsetTransition change = zone.getRules().nextTransition(instant);
        while (change != null && change.getInstant().isBefore(next)) {
            // cron-utils gives no time for what is left out: a daily task would miss that day.
            if (change.isGap() && namesOneIn(change)) return change.getInstant();
            change = zone.getRules().nextTransition(change.getInstant());
        }
        return next;
    }

    private boolean namesOneIn(ZoneOffsetTransition gap) {
        LocalDateTime before = gap.getDateTimeBefore().minusSeconds(1);
        return times.nextExecution(before.atZone(ZoneOffset.UTC))
                // The first time there is again too: where a clock moves by half an hour, cron-utils passes over it.
                .filter(first -> !first.toLocalDateTime().isAfter(gap.getDateTimeAfter()))
                .isPresent();
    }
}
