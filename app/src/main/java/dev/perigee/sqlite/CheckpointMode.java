package dev.perigee.sqlite;

/// What a checkpoint does to the WAL, by SQLite's names.
///
/// @see <a href="https://www.sqlite.org/c3ref/wal_checkpoint_v2.html">SQLite: Checkpoint a database</a>
public enum CheckpointMode {
    PASSIVE,
    FULL,
    RESTART,
    TRUNCATE
}
