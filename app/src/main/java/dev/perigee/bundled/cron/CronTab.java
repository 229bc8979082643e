package dev.perigee.bundled.cron;

import dev.perigee.config.CronTimes;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/// When a task runs: a cron expression of five fields, with `CRON_TZ=<zone>` before it for a zone other than UTC.
///
/// When the clock is set forward, a time in the gap runs at the end of the gap. When it is set back, a time that comes
/// twice runs once.
record CronTab(CronTimes times) {
    private static final String ZONE = "CRON_TZ=";

    /// @throws PerigeeException [Fault#INVALID_REQUEST] saying what is wrong
    static CronTab of(String text) {
        try {
            String expression = text.strip();
            ZoneId zone = ZoneOffset.UTC;
            if (expression.startsWith(ZONE)) {
                int end = expression.indexOf(' ');
                if (end < 0) throw new IllegalArgumentException("five fields are expected after " + ZONE);
                zone = CronTimes.zone(expression.substring(ZONE.length(), end));
                expression = expression.substring(end).strip();
            }
            return new CronTab(CronTimes.of(expression, zone));
        } catch (IllegalArgumentException e) {
            throw Fault.INVALID_REQUEST.saying(
                    "\"cron_tab\" is not a cron expression such as 0 3 * * *, or CRON_TZ=Europe/Zurich 0 3 * * *: "
                            + e.getMessage());
        }
    }

    Instant after(Instant instant) {
        return times.after(instant);
    }
}
