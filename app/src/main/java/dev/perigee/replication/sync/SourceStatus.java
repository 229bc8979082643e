package dev.perigee.replication.sync;

import java.time.Instant;
import java.util.List;

/// Trouble of the source as a whole, as `GET /replication/status` shows it.
///
/// @param fault its name
/// @param remedy what helps
/// @param since when a table met it first
/// @param tables those that failed for it since
public record SourceStatus(String fault, String message, String remedy, Instant since, List<String> tables) {}
