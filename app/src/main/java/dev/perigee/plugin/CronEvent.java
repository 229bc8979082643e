package dev.perigee.plugin;

import java.time.Instant;

/// A task of `tmp_cron_tasks` whose time has come.
///
/// @param cronTab the task's expression
/// @param payload the task's JSON; an empty object unless it has one
/// @param due when it was to run
public record CronEvent(String name, String cronTab, String payload, Instant due) {}
