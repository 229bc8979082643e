/// Scheduled tasks (cron): `tmp_cron_tasks`, their runs, and their callbacks.
///
/// Guarantee: no task holds up another, no run of a task overlaps the one before, and missed runs are made up for or
/// skipped, as configured.
///
/// Start reading at [CronPlugin].
@NullMarked
package dev.perigee.bundled.cron;

import org.jspecify.annotations.NullMarked;
