/// Durable timers: one due time per owner, still true after a restart, at-least-once, retried with backoff.
///
/// Guarantee: a due alarm fires at least once and never twice at the same time.
///
/// Start reading at [Alarms].
@NullMarked
package dev.perigee.alarm;

import org.jspecify.annotations.NullMarked;
