package dev.perigee.sqlite;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One connection to a SQLite database. Used by one thread at a time, which is checked; only [#interrupt()] may be
/// called from any thread at any time.
public final class SqliteConnection implements AutoCloseable {
    /// How a file is opened.
    public enum OpenFlag {
        READONLY,
        READWRITE,
        CREATE,
        URI,
        MEMORY
    }

    /// What a checkpoint does to the WAL; as SQLite names them.
    public enum CheckpointMode {
        PASSIVE,
        FULL,
        RESTART,
        TRUNCATE
    }

    /// @param busy whether it could not run to its end because of readers or writers
    /// @param logFrames frames in the WAL, -1 where there is no WAL
    /// @param checkpointedFrames frames of them already in the database file
    public record CheckpointResult(boolean busy, int logFrames, int checkpointedFrames) {}

    /// Asked while a statement is prepared; the arguments are those of `sqlite3_set_authorizer`.
    @FunctionalInterface
    public interface Authorizer {
        /// @param action the code SQLite passes, as in [AuthorizerAction]
        Decision authorize(
                int action, @Nullable String arg1, @Nullable String arg2, @Nullable String database, @Nullable String trigger);

        enum Decision {
            OK,
            DENY,
            IGNORE
        }
    }

    private SqliteConnection() {}

    public static SqliteConnection open(Path file, Set<OpenFlag> flags) {
        throw new UnsupportedOperationException();
    }

    /// Runs every statement in `sql`, rows discarded.
    public void exec(String sql) {
        throw new UnsupportedOperationException();
    }

    /// Prepares the first statement in `sql`; the rest is [SqliteStatement#tail()].
    ///
    /// @throws SqliteException with the place of the mistake for a syntax error
    public SqliteStatement prepare(String sql) {
        throw new UnsupportedOperationException();
    }

    public void busyTimeout(Duration timeout) {
        throw new UnsupportedOperationException();
    }

    /// Makes the statement that runs on this connection fail with [dev.perigee.fault.Fault#TIME_LIMIT]. Any thread.
    public void interrupt() {
        throw new UnsupportedOperationException();
    }

    /// Rows changed by the statement that finished last; 0 for one that changes none.
    public long changes() {
        throw new UnsupportedOperationException();
    }

    public long totalChanges() {
        throw new UnsupportedOperationException();
    }

    public long lastInsertRowid() {
        throw new UnsupportedOperationException();
    }

    /// Whether no transaction is open.
    public boolean isAutocommit() {
        throw new UnsupportedOperationException();
    }

    public CheckpointResult checkpoint(CheckpointMode mode) {
        throw new UnsupportedOperationException();
    }

    /// Sets or, with null, removes the authorizer. Statements prepared before keep what they were allowed.
    public void authorizer(@Nullable Authorizer authorizer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
