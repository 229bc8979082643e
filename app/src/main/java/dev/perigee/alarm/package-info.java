/// Durable timers: each owner has at most one due time, which survives a restart. A handler that fails is retried with
/// growing pauses.
///
/// Guarantee: a due alarm fires at least once and never twice at the same time.
///
/// Start reading at [Alarms].
@NullMarked
package dev.perigee.alarm;

import org.jspecify.annotations.NullMarked;
