package dev.perigee.plugin;

import java.time.Instant;

/// A task of `tmp_cron_tasks`, here or on another server, that is due.
///
/// @param cronTab the task's cron expression
/// @param payload the task's JSON; an empty object if it has none
/// @param due when it was to run. For another server's task, when the event arrived
public record CronEvent(String name, String cronTab, String payload, Instant due) {}
