package dev.perigee.replication.sync;

import java.time.Instant;
import java.util.List;

/// Trouble of the source as a whole, as `GET /replication/status` shows it.
///
/// @param fault the name of the fault
/// @param remedy what to do about it
/// @param since when a table first failed because of it
/// @param tables the tables that have failed because of it since then
public record SourceStatus(String fault, String message, String remedy, Instant since, List<String> tables) {}
