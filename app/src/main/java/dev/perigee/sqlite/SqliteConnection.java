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

/// One connection to a SQLite database. One thread at a time may use it, which is checked; it may be handed from thread
/// to thread. Only [#interrupt()] and [#isClosed()] may be called from any thread at any time.
///
/// Misuse by our code throws `IllegalStateException`, such as two threads inside at once or a use after [#close()].
/// What SQLite refuses throws a [SqliteException].
public final class SqliteConnection implements AutoCloseable {
    /// How a file is opened. Exactly one of [#READONLY] and [#READWRITE] is needed.
    public enum OpenFlag {
        READONLY(0x1),
        READWRITE(0x2),
        /// Makes the file if it is missing; needs [#READWRITE].
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

    /// SQLITE_OPEN_NOMUTEX: [OneThread] replaces SQLite's own mutex.
    private static final int NO_MUTEX = 0x8000;

    /// SQLITE_PREPARE_PERSISTENT: tells SQLite that the statement will be kept and used often.
    private static final int PREPARE_PERSISTENT = 0x1;

    /// SQLITE_PREPARE_NORMALIZE: some versions of SQLite need it for [SqliteStatement#normalizedSql()].
    private static final int PREPARE_NORMALIZE = 0x2;

    /// SQLITE_UTF8: SQL functions prefer text in UTF-8.
    private static final int UTF_8 = 1;

    private final Path file;
    private final Arena arena = Arena.ofShared();
    /// Room for two results that SQLite returns through pointers.
    private final MemorySegment out = arena.allocate(16, 8);

    final OneThread thread = new OneThread();
    private final Callbacks callbacks = new Callbacks(arena);
    private final SqliteFailures failures;
    private final Set<SqliteStatement> statements = Collections.newSetFromMap(new IdentityHashMap<>());

    /// The lock held while the pointer changes and while [#interrupt()] uses it, so that no closed connection is
    /// interrupted.
    private final Object life = new Object();

    /// Kept, because it runs before many reads.
    private @Nullable SqliteStatement schemaVersion;

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
        SqliteLibrary.symbols(); // Without a library this throws the fault; later a class would fail to initialize.
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

    /// Runs every statement in `sql` and discards rows. If a statement fails, the statements before it have been run.
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

    /// Prepares the first statement in `sql`; [SqliteStatement#tail()] has the rest of the text.
    ///
    /// @throws SqliteException with the place of the mistake for a syntax error; [Fault#STATEMENT_INVALID] if `sql` has
    ///     no statement
    public SqliteStatement prepare(String sql) {
        Thread before = thread.enter();
        try (Arena memory = Arena.ofConfined()) {
            StatementText text = new StatementText(sql, memory);
            SqliteStatement statement = prepare(text, 0, PREPARE_PERSISTENT | PREPARE_NORMALIZE);
            if (statement != null) return statement;
            throw SqliteFailures.refused("the text contains no statement", null);
        } finally {
            thread.leave(before);
        }
    }

    private @Nullable SqliteStatement prepare(StatementText text, int fromByte, int flags) {
        int code = NativeStatement.prepare(
                handle(),
                text.address() + fromByte,
                text.byteCount() - fromByte + 1, // including the zero, so that SQLite need not copy the text
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

    /// Sets how long a statement waits for another connection's lock before it fails with [Fault#BUSY]. With zero,
    /// which is the default, it does not wait.
    public void busyTimeout(Duration timeout) {
        Thread before = thread.touch();
        try {
            int millis = Math.clamp(timeout.toMillis(), 0, Integer.MAX_VALUE);
            check(NativeConnection.busyTimeout(handle(), millis), "busy timeout");
        } finally {
            thread.leave(before);
        }
    }

    /// Makes the statements that run on this connection fail with [Fault#TIME_LIMIT]. It may be called from any thread
    /// at any time. It does nothing if no statement runs or the connection is closed.
    public void interrupt() {
        synchronized (life) {
            if (pointer != 0) NativeConnection.interrupt(pointer);
        }
    }

    /// Rows changed by the statement that finished last; 0 if it changed none. Rows changed by triggers and foreign
    /// keys do not count.
    public long changes() {
        Thread before = thread.touch();
        try {
            long connection = handle();
            return lastStatementChanged ? NativeOptional.changes(connection) : 0;
        } finally {
            thread.leave(before);
        }
    }

    /// Rows changed since the connection was opened, including those changed by triggers and foreign keys.
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

    /// Sets the value that [#lastInsertRowid()] and SQL's `last_insert_rowid()` return until the next insert.
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

    /// Whether the database cannot be written through this connection, because it was opened so or because the file is
    /// read-only.
    public boolean isReadonly() {
        Thread before = thread.touch();
        try {
            return NativeConnection.isReadonly(handle(), 0) == 1;
        } finally {
            thread.leave(before);
        }
    }

    /// Moves frames from the WAL into the database file. If other connections keep it from finishing, that is a result
    /// ([CheckpointResult#busy()]) and not an exception.
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

    /// The size of the WAL file in bytes; 0 if there is none.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#DISK_FAILED] if it cannot be read
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

    /// Sets the authorizer; null removes it. If there was none, SQLite prepares earlier statements again at their next
    /// run and asks the authorizer then. If it replaces another one, earlier statements keep the rights they were
    /// given.
    ///
    /// An exception of the authorizer denies the action, and becomes the cause of the [SqliteException] that follows.
    /// An authorizer must not use this connection.
    public void authorizer(@Nullable Authorizer authorizer) {
        Thread before = thread.enter();
        try {
            check(callbacks.authorizer(handle(), authorizer), "authorizer");
        } finally {
            thread.leave(before);
        }
    }

    /// Registers `function` as the SQL function `name`. It replaces a function of the same name and number of
    /// arguments.
    ///
    /// @param argumentCount the number of arguments it takes, -1 for any number
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

    /// The version of the main database's schema. Every change of the schema raises it, also one of another connection.
    public long schemaVersion() {
        SqliteStatement version = schemaVersion;
        if (version == null) {
            version = prepare("PRAGMA main.schema_version");
            schemaVersion = version;
        }
        try {
            version.step();
            return version.intAt(0);
        } finally {
            version.reset();
        }
    }

    /// Sets a limit.
    ///
    /// @param value not negative; it is lowered to the maximum that SQLite was built with
    /// @return the limit before
    public int limit(SqliteLimit which, int value) {
        if (value < 0) throw new IllegalArgumentException("a limit is 0 or more, but got " + value);
        Thread before = thread.touch();
        try {
            return NativeConnection.limit(handle(), which.ordinal(), value);
        } finally {
            thread.leave(before);
        }
    }

    /// The current limit.
    public int limit(SqliteLimit which) {
        Thread before = thread.touch();
        try {
            return NativeConnection.limit(handle(), which.ordinal(), -1);
        } finally {
            thread.leave(before);
        }
    }

    /// Whether it has been closed. May be called from any thread.
    public boolean isClosed() {
        synchronized (life) {
            return pointer == 0;
        }
    }

    /// Closes the connection with all its statements. An open transaction is rolled back. A second call does nothing.
    ///
    /// @throws IllegalStateException from inside a callback of this connection
    @Override
    public void close() {
        Thread before = thread.enter();
        try {
            if (pointer == 0) return;
            if (before != null) throw new IllegalStateException(this + " cannot be closed by its own callback");
            for (SqliteStatement statement : List.copyOf(statements)) statement.close();
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

    /// Throws what a callback threw in a call that SQLite itself completed without an error.
    void rethrowFromCallback() {
        callbacks.rethrow();
    }

    void forget(SqliteStatement statement) {
        statements.remove(statement);
    }

    /// Called when a statement has ended, with success or not, so that [#changes()] is about that statement.
    void statementEnded() {
        long total = NativeOptional.totalChanges(pointer);
        lastStatementChanged = total != totalChangesBefore;
        totalChangesBefore = total;
    }

    /// The exception for a failure while a statement of this connection was bound or run.
    SqliteException statementFailure(int code, String state) {
        return failures.inStatement(pointer, code, null, state);
    }

    /// The exception for a failure outside a statement.
    SqliteException failure(int code, String where, String state) {
        return failures.elsewhere(pointer, code, where, state);
    }

    private void check(int code, String where) {
        if (code != ResultCode.OK) throw failure(code, where, "Nothing was changed");
    }
}
