package dev.perigee.sqlite;

import java.nio.file.Path;
import java.util.EnumSet;

/// Copies a database into another file, page by page, while the database is in use. Made by [SqliteConnection#backup].
///
/// The source is locked for reading during [#step] only. When another connection writes between two steps, SQLite
/// begins the copy again, so that it always ends as one state of the source. Inside a read transaction of the source's
/// connection it copies that transaction's state and never begins again. This is the way to back up a busy WAL
/// database.
///
/// It belongs to the source's connection: one thread at a time uses both, and closing the connection closes it.
public final class SqliteBackup implements AutoCloseable {
    private final SqliteConnection source;
    private final SqliteConnection target;
    private long pointer;
    private boolean isDone;

    /// Begins a backup. The calling thread must already be inside `source`.
    ///
    /// @param file the target, which is made if it is missing
    SqliteBackup(SqliteConnection source, Path file) {
        this.source = source;
        this.target = SqliteConnection.open(
                file, EnumSet.of(SqliteConnection.OpenFlag.READWRITE, SqliteConnection.OpenFlag.CREATE));
        this.pointer = target.beginBackupFrom(source);
    }

    /// Copies up to `pageCount` pages, or all remaining pages if it is negative.
    ///
    /// @return true when the copy is complete
    /// @throws SqliteException [dev.perigee.fault.Fault#BUSY] if a writer holds the lock; the same call may succeed
    ///     later. After any other fault the backup cannot continue.
    public boolean step(int pageCount) {
        if (pageCount == 0) throw new IllegalArgumentException("a step copies one page or more, but got 0");
        Thread before = source.thread.enter();
        try {
            if (isDone) return true;
            int code = NativeBackup.step(handle(), pageCount);
            if (code == ResultCode.DONE) isDone = true;
            if (code == ResultCode.OK || isDone) return isDone;
            throw source.failure(code, "backup to " + target.file(), "The copy is not complete");
        } finally {
            source.thread.leave(before);
        }
    }

    /// Pages still to copy, as of the last step; 0 before the first.
    public int remainingPages() {
        Thread before = source.thread.touch();
        try {
            return NativeBackup.remaining(handle());
        } finally {
            source.thread.leave(before);
        }
    }

    /// Pages of the source, as of the last step; 0 before the first.
    public int totalPages() {
        Thread before = source.thread.touch();
        try {
            return NativeBackup.pageCount(handle());
        } finally {
            source.thread.leave(before);
        }
    }

    /// Ends the backup. If the copy was not complete, the target is left as it was before, or empty if it is new. A
    /// second call does nothing.
    ///
    /// @throws SqliteException if the copy was complete but could not be put in place
    @Override
    public void close() {
        Thread before = source.thread.enter();
        try (target) {
            if (pointer == 0) return;
            long closing = pointer;
            pointer = 0;
            source.forget(this);
            int code = NativeBackup.finish(closing);
            if (isDone && code != ResultCode.OK) {
                throw target.failure(code, "backup to " + target.file(), "The copy is not complete");
            }
        } finally {
            source.thread.leave(before);
        }
    }

    private long handle() {
        if (pointer == 0) throw new IllegalStateException("SQLite backup to " + target.file() + " is closed");
        return pointer;
    }
}
