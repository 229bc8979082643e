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

/// The times that match a cron expression in a time zone. Immutable.
public final class CronTimes {
    private final ExecutionTime times;
    private final ZoneId zone;

    private CronTimes(ExecutionTime times, ZoneId zone) {
        this.times = times;
        this.zone = zone;
    }

    /// Parses a cron expression.
    ///
    /// @param expression five fields, minute first
    /// @throws IllegalArgumentException saying what is wrong with it
    public static CronTimes of(String expression, ZoneId zone) {
        ExecutionTime times = parsed(expression);
        if (times.nextExecution(Instant.EPOCH.atZone(zone)).isEmpty()) {
            throw new IllegalArgumentException("the expression matches no time");
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
            // For a field such as `6-/` the parser throws an IndexOutOfBoundsException.
            throw new IllegalArgumentException("the expression cannot be parsed", e);
        }
    }

    /// The time zone of this name.
    ///
    /// @throws IllegalArgumentException if there is no such zone
    public static ZoneId zone(String name) {
        try {
            return name.equals("UTC") ? ZoneOffset.UTC : ZoneId.of(name);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("there is no time zone \"%s\"".formatted(name), e);
        }
    }

    /// The first matching time after `instant`. A time that falls into the gap of a clock change counts as the moment
    /// of the change.
    public Instant after(Instant instant) {
        Instant next = times.nextExecution(instant.atZone(zone)).orElseThrow().toInstant();
        ZoneOffsetTransition change = zone.getRules().nextTransition(instant);
        while (change != null && change.getInstant().isBefore(next)) {
            // cron-utils skips times in the gap: a daily task would not run that day.
            if (change.isGap() && namesOneIn(change)) return change.getInstant();
            change = zone.getRules().nextTransition(change.getInstant());
        }
        return next;
    }

    /// Whether the expression matches a local time that the gap leaves out.
    private boolean namesOneIn(ZoneOffsetTransition gap) {
        LocalDateTime before = gap.getDateTimeBefore().minusSeconds(1);
        return times.nextExecution(before.atZone(ZoneOffset.UTC))
                // The first local time after the gap counts too: where a clock moves by half an hour, cron-utils skips
                // it.
                .filter(first -> !first.toLocalDateTime().isAfter(gap.getDateTimeAfter()))
                .isPresent();
    }
}
