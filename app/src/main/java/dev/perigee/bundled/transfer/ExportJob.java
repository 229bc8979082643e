package dev.perigee.bundled.transfer;

import java.util.Optional;

/// The present state of an export that is made in the background.
///
/// @param format `dump`, `sqlite`, `json` or `csv`
/// @param table the table, for `json` and `csv`
/// @param bytes written so far
/// @param sourceBytes size of the replica when the export began; 0 before that
/// @param error why it failed
public record ExportJob(
        String id,
        String format,
        Optional<String> table,
        State state,
        String createdAt,
        Optional<String> finishedAt,
        long bytes,
        long sourceBytes,
        Optional<String> error) {
    public enum State {
        QUEUED,
        RUNNING,
        DONE,
        FAILED;

        boolean isOver() {
            return this == DONE || this == FAILED;
        }
    }

    ExportJob running(long sourceBytes) {
        return new ExportJob(id, format, table, State.RUNNING, createdAt, finishedAt, 0, sourceBytes, error);
    }

    ExportJob written(long so) {
        return new ExportJob(id, format, table, state, createdAt, finishedAt, so, sourceBytes, error);
    }

    ExportJob over(State end, String at, Optional<String> why) {
        return new ExportJob(id, format, table, end, createdAt, Optional.of(at), bytes, sourceBytes, why);
    }

    /// What the file is called on the disk.
    String fileName() {
        return id + "." + format;
    }
}
