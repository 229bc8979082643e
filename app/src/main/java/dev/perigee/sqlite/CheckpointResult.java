package dev.perigee.sqlite;

/// What a checkpoint did.
///
/// @param busy whether readers or writers kept it from finishing
/// @param logFrames frames in the WAL, -1 if there is no WAL
/// @param checkpointedFrames how many of these frames are in the database file now
public record CheckpointResult(boolean busy, int logFrames, int checkpointedFrames) {}
