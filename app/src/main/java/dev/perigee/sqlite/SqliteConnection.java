package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.perigee.fault.Fault;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One connection to a SQLite database. Used by one thread at a time, which is checked; only [#interrupt()] may be
/// called from any thread at any time.
///
/// It may be handed from thread to thread. Two threads inside at once, a use after [#close()], and every other misuse
/// that is ours rather than the statement's throws `IllegalStateException`. What SQLite refuses is a [SqliteException].
public final class SqliteConnection implements AutoCloseable {
    /// How a file is opened. One of [#READONLY] and [#READWRITE] is needed.
    public enum OpenFlag {
        READONLY(0x1),
        READWRITE(0x2),
        /// Makes the file if it is missing; with [#READWRITE] only.
        CREATE(0x4),
        /// The file's name may be a `file:` URI.
        URI(0x40),
        /// The database lives in memory.
        MEMORY(0x80);

        private final int bit;

        OpenFlag(int bit) {
            this.bit = bit;
        }
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
                int action,
                @Nullable String arg1,
                @Nullable String arg2,
                @Nullable String database,
                @Nullable String trigger);

        enum Decision {
            OK,
            DENY,
            IGNORE
        }
    }

    /// SQLITE_OPEN_NOMUTEX: [OneThread] stands in for SQLite's own lock.
    private static final int NO_MUTEX = 0x8000;

    /// Tells SQLite that the statement will be kept and used often.
    private static final int PREPARE_PERSISTENT = 0x1;

    /// Asked for by SQLite of some versions where [SqliteStatement#normalizedSql()] is wanted.
    private static final int PREPARE_NORMALIZE = 0x2;

    /// SQLITE_UTF8: how functions want their text.
    private static final int UTF_8 = 1;

    private final Path file;
    private final Arena arena = Arena.ofShared();
    /// Room for two results that SQLite returns through pointers.
    private final MemorySegment out = arena.allocate(16, 8);

    final OneThread thread = new OneThread();
    private final Callbacks callbacks = new Callbacks(arena);
    private final SqliteFailures failures;
    private final Set<SqliteStatement> statements = Collections.newSetFromMap(new IdentityHashMap<>());

    private final Set<SqliteBackup> backups = Collections.newSetFromMap(new IdentityHashMap<>());

    /// Held while the pointer changes and while [#interrupt()] uses it, so that it never meets a closed connection.
    private final Object life = new Object();

    private long pointer;
    private long totalChangesBefore;
    private boolean lastStatementChanged;

    private SqliteConnection(Path file, boolean openedReadonly) {
        this.file = file;
        this.failures = new SqliteFailures(file, callbacks, openedReadonly);
    }

    /// Opens a database file, or what a URI names.
    ///
    /// @throws SqliteException [Fault#DISK_FAILED] if it cannot be opened
    /// @throws dev.perigee.fault.PerigeeException [Fault#SQLITE_LIBRARY_MISSING] if there is no usable SQLite
    public static SqliteConnection open(Path file, Set<OpenFlag> flags) {
        return open(file, file.toString(), flags);
    }

    /// Opens a new, empty database in memory; it is gone when the connection closes.
    public static SqliteConnection openInMemory() {
        return open(Path.of(""), ":memory:", EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE));
    }

    private static SqliteConnection open(Path file, String name, Set<OpenFlag> flags) {
        if (flags.contains(OpenFlag.READONLY) == flags.contains(OpenFlag.READWRITE)) {
            throw new IllegalArgumentException("one of READONLY and READWRITE is needed, but got " + flags);
        }
        if (flags.contains(OpenFlag.CREATE) && !flags.contains(OpenFlag.READWRITE)) {
            throw new IllegalArgumentException("CREATE needs READWRITE, but got " + flags);
        }
        SqliteLibrary.symbols(); // Says what is missing before a class fails to initialize without it.
        int bits = NO_MUTEX;
        for (OpenFlag flag : flags) bits |= flag.bit;
        SqliteConnection connection = new SqliteConnection(file, flags.contains(OpenFlag.READONLY));
        try (Arena arena = Arena.ofConfined()) {
            int code = NativeConnection.open(arena.allocateFrom(name).address(), connection.out.address(), bits, 0);
            connection.pointer = connection.out.get(JAVA_LONG, 0);
            if (code != ResultCode.OK) {
                SqliteException failure = connection.failure(code, "database " + name, "It was not opened");
                connection.close();
                throw failure;
            }
        }
        NativeConnection.extendedResultCodes(connection.pointer, 1);
        return connection;
    }

    /// Runs every statement in `sql`, rows discarded. When one fails, those before it have been run.
    ///
    /// @throws SqliteException with the place of the mistake for a syntax error
    public void exec(String sql) {
        Thread before = thread.enter();
        try (Arena memory = Arena.ofConfined()) {
            StatementText text = new StatementText(sql, memory);
            for (int from = 0; from < text.byteCount(); ) {
                SqliteStatement statement = prepare(text, from, 0);
                if (statement == null) return;
                try (statement) {
                    statement.run();
                }
                from = statement.tailByte();
            }
        } finally {
            thread.leave(before);
        }
    }

    /// Prepares the first statement in `sql`; the rest is [SqliteStatement#tail()].
    ///
    /// @throws SqliteException with the place of the mistake for a syntax error, and [Fault#STATEMENT_INVALID] where
    ///     there is no statement in `sql` at all
    public SqliteStatement prepare(String sql) {
        Thread before = thread.enter();
        try (Arena memory = Arena.ofConfined()) {
            StatementText text = new StatementText(sql, memory);
            SqliteStatement statement = prepare(text, 0, PREPARE_PERSISTENT | PREPARE_NORMALIZE);
            if (statement != null) return statement;
            throw SqliteFailures.refused("there is none in the text", null);
        } finally {
            thread.leave(before);
        }
    }

    private @Nullable SqliteStatement prepare(StatementText text, int fromByte, int flags) {
        int code = NativeStatement.prepare(
                handle(),
                text.address() + fromByte,
                text.byteCount() - fromByte + 1, // With its zero, SQLite need not copy the text.
                flags,
                out.address(),
                out.address() + 8);
        if (code != ResultCode.OK) {
            int offset = NativeOptional.errorOffset(pointer);
            StatementText.Place place = offset < 0 ? null : text.place(fromByte + offset);
            throw failures.inStatement(pointer, code, place, "Nothing was run");
        }
        callbacks.rethrow();
        long statement = out.get(JAVA_LONG, 0);
        if (statement == 0) return null;
        int tailByte = Math.toIntExact(out.get(JAVA_LONG, 8) - text.address());
        SqliteStatement prepared = new SqliteStatement(this, statement, text, fromByte, tailByte);
        statements.add(prepared);
        return prepared;
    }

    /// How long a statement waits for another connection's lock before it fails with [Fault#BUSY]. Zero, which is what
    /// a new connection has, does not wait.
    public void busyTimeout(Duration timeout) {
        Thread before = thread.touch();
        try {
            int millis = Math.clamp(timeout.toMillis(), 0, Integer.MAX_VALUE);
            check(NativeConnection.busyTimeout(handle(), millis), "busy timeout");
        } finally {
            thread.leave(before);
        }
    }

    /// Makes the statement that runs on this connection fail with [Fault#TIME_LIMIT]. Any thread, at any time: it does
    /// nothing when no statement runs or the connection is closed.
    public void interrupt() {
        synchronized (life) {
            if (pointer != 0) NativeConnection.interrupt(pointer);
        }
    }

    /// Rows changed by the statement that finished last; 0 for one that changes none. Rows changed by triggers and
    /// foreign keys do not count.
    public long changes() {
        Thread before = thread.touch();
        try {
            long connection = handle();
            return lastStatementChanged ? NativeOptional.changes(connection) : 0;
        } finally {
            thread.leave(before);
        }
    }

    /// Rows changed since the connection was opened, those by triggers and foreign keys too.
    public long totalChanges() {
        Thread before = thread.touch();
        try {
            return NativeOptional.totalChanges(handle());
        } finally {
            thread.leave(before);
        }
    }

    /// The rowid of the last row inserted into a rowid table on this connection; 0 before the first.
    public long lastInsertRowid() {
        Thread before = thread.touch();
        try {
            return NativeConnection.lastInsertRowid(handle());
        } finally {
            thread.leave(before);
        }
    }

    /// Sets what [#lastInsertRowid] and the SQL function of that name answer until the next insert.
    public void lastInsertRowid(long rowid) {
        Thread before = thread.touch();
        try {
            NativeConnection.lastInsertRowid(handle(), rowid);
        } finally {
            thread.leave(before);
        }
    }

    /// Whether no transaction is open.
    public boolean isAutocommit() {
        Thread before = thread.touch();
        try {
            return NativeConnection.isAutocommit(handle()) != 0;
        } finally {
            thread.leave(before);
        }
    }

    /// Whether the database cannot be written through this connection, by choice or because the file forbids it.
    public boolean isReadonly() {
        Thread before = thread.touch();
        try {
            return NativeConnection.isReadonly(handle(), 0) == 1;
        } finally {
            thread.leave(before);
        }
    }

    /// Moves frames from the WAL into the database file. Being held up by others is a result, not an exception.
    ///
    /// @throws SqliteException [Fault#BUSY] inside a transaction of this connection
    public CheckpointResult checkpoint(CheckpointMode mode) {
        Thread before = thread.enter();
        try {
            int code = NativeConnection.checkpoint(
                    handle(), 0, mode.ordinal(), out.address(), out.address() + Integer.BYTES);
            if (code != ResultCode.OK && code != ResultCode.BUSY) {
                throw failure(code, "checkpoint of " + file, "The WAL stays as it is");
            }
            return new CheckpointResult(
                    code == ResultCode.BUSY, out.get(JAVA_INT, 0), out.get(JAVA_INT, Integer.BYTES));
        } finally {
            thread.leave(before);
        }
    }

    /// The WAL file's size; 0 where there is none.
    public long walBytes() {
        try {
            return Files.size(file.resolveSibling(file.getFileName() + "-wal"));
        } catch (NoSuchFileException _) {
            return 0;
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in("WAL of " + file, e.toString(), "Its size is not known", e);
        }
    }

    /// The file, as it was given to [#open].
    public Path file() {
        return file;
    }

    /// Sets or, with null, removes the authorizer. Where there was none, statements prepared before are prepared anew
    /// at their next run and asked about then; where one takes the place of another, they keep what they were allowed.
    ///
    /// What an authorizer throws denies, and is the cause of the [SqliteException] that follows. It must not use this
    /// connection.
    public void authorizer(@Nullable Authorizer authorizer) {
        Thread before = thread.enter();
        try {
            check(callbacks.authorizer(handle(), authorizer), "authorizer");
        } finally {
            thread.leave(before);
        }
    }

    /// Sets or, with null, removes the hooks.
    public void hooks(@Nullable SqliteHooks hooks) {
        Thread before = thread.enter();
        try {
            callbacks.hooks(handle(), hooks);
        } finally {
            thread.leave(before);
        }
    }

    /// Makes `function` known to SQL as `name`; one of the same name and number of arguments is replaced.
    ///
    /// @param argumentCount how many it takes, -1 for any number
    public void function(String name, int argumentCount, Set<SqliteFunction.Trait> traits, SqliteFunction function) {
        Thread before = thread.enter();
        try {
            int flags = UTF_8;
            for (SqliteFunction.Trait trait : traits) flags |= trait.bit;
            check(callbacks.function(handle(), name, argumentCount, flags, function), "function " + name);
        } finally {
            thread.leave(before);
        }
    }

    /// Sets a limit.
    ///
    /// @param value not negative; a greater one than SQLite was built with is cut to that
    /// @return the limit that was
    public int limit(SqliteLimit which, int value) {
        if (value < 0) throw new IllegalArgumentException("a limit is 0 or more, but got " + value);
        Thread before = thread.touch();
        try {
            return NativeConnection.limit(handle(), which.ordinal(), value);
        } finally {
            thread.leave(before);
        }
    }

    /// The limit that holds.
    public int limit(SqliteLimit which) {
        Thread before = thread.touch();
        try {
            return NativeConnection.limit(handle(), which.ordinal(), -1);
        } finally {
            thread.leave(before);
        }
    }

    /// Switches something on or off.
    public void turn(SqliteSwitch which, boolean on) {
        Thread before = thread.enter();
        try {
            check(NativeConfig.set(handle(), which.code, on ? 1 : 0, out.address()), "setting " + which);
        } finally {
            thread.leave(before);
        }
    }

    /// Whether it is on.
    public boolean isOn(SqliteSwitch which) {
        Thread before = thread.enter();
        try {
            check(NativeConfig.set(handle(), which.code, -1, out.address()), "setting " + which);
            return out.get(JAVA_INT, 0) != 0;
        } finally {
            thread.leave(before);
        }
    }

    /// Begins to copy this database to `file`, over what is there.
    ///
    /// @throws SqliteException [Fault#DISK_FAILED] if the file cannot be made
    public SqliteBackup backup(Path file) {
        Thread before = thread.enter();
        try {
            handle();
            SqliteBackup backup = new SqliteBackup(this, file);
            backups.add(backup);
            return backup;
        } finally {
            thread.leave(before);
        }
    }

    /// Whether it has been closed. Any thread.
    public boolean isClosed() {
        synchronized (life) {
            return pointer == 0;
        }
    }

    /// Closes it with all its statements and backups; an open transaction is rolled back. A second call does nothing.
    @Override
    public void close() {
        Thread before = thread.enter();
        try {
            if (pointer == 0) return;
            if (before != null) throw new IllegalStateException(this + " cannot be closed by its own callback");
            for (SqliteStatement statement : List.copyOf(statements)) statement.close();
            for (SqliteBackup backup : List.copyOf(backups)) backup.close();
            long closing = pointer;
            synchronized (life) {
                pointer = 0;
            }
            NativeConnection.close(closing);
            arena.close();
        } finally {
            thread.leave(before);
        }
    }

    @Override
    public String toString() {
        return "SQLite connection to " + file;
    }

    long handle() {
        if (pointer == 0) throw new IllegalStateException(this + " is closed");
        return pointer;
    }

    /// Throws what a callback threw, where SQLite itself went on.
    void rethrowFromCallback() {
        callbacks.rethrow();
    }

    void forget(SqliteStatement statement) {
        statements.remove(statement);
    }

    void forget(SqliteBackup backup) {
        backups.remove(backup);
    }

    /// Begins to copy from `source` to this database, which is closed if that fails.
    long beginBackupFrom(SqliteConnection source) {
        try (Arena memory = Arena.ofConfined()) {
            long main = memory.allocateFrom("main").address();
            long backup = NativeBackup.begin(handle(), main, source.handle(), main);
            if (backup != 0) return backup;
            SqliteException failure =
                    failure(NativeConnection.extendedCode(pointer), "backup to " + file, "Nothing was copied");
            close();
            throw failure;
        }
    }

    /// Takes note that a statement has ended, well or badly, so that [#changes()] speaks of it.
    void statementEnded() {
        long total = NativeOptional.totalChanges(pointer);
        lastStatementChanged = total != totalChangesBefore;
        totalChangesBefore = total;
    }

    /// What went wrong while a statement of this connection was bound or run.
    SqliteException statementFailure(int code, String state) {
        return failures.inStatement(pointer, code, null, state);
    }

    /// What went wrong outside of a statement.
    SqliteException failure(int code, String where, String state) {
        return failures.elsewhere(pointer, code, where, state);
    }

    private void check(int code, String where) {
        if (code != ResultCode.OK) throw failure(code, where, "Nothing was changed");
    }
}
