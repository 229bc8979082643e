package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One prepared statement. Parameters count from 1, columns from 0, as in SQLite.
///
/// It belongs to its connection: one thread at a time uses both, and closing the connection closes it. When it is done
/// or has failed, it is reset automatically, so it can be bound or run again at once.
public final class SqliteStatement implements AutoCloseable {
    /// The storage class of a cell of the current row.
    public enum Type {
        INTEGER,
        REAL,
        TEXT,
        BLOB,
        NULL
    }

    /// The table column that a result column comes from.
    ///
    /// @param database the database's name on the connection, such as `main`
    public record Origin(String database, String table, String column) {}

    private final SqliteConnection connection;
    private final OneThread thread;
    private final String sql;
    private final String tail;
    private final int tailByte;
    private final boolean readonly;
    private long pointer;
    /// Whether SQLite is running this statement now, so that a callback must not close or run it.
    private boolean stepping;
    /// Columns of the current row, -1 if there is no row.
    private int rowColumns = -1;

    SqliteStatement(SqliteConnection connection, long pointer, StatementText text, int fromByte, int tailByte) {
        this.connection = connection;
        this.thread = connection.thread;
        this.pointer = pointer;
        this.sql = text.between(fromByte, tailByte);
        this.tail = text.between(tailByte, text.byteCount());
        this.tailByte = tailByte;
        this.readonly = NativeStatement.isReadonly(pointer) != 0;
    }

    /// Whether `sql`, which ends in a semicolon, ends a statement there, or is inside a literal, a comment or a
    /// trigger's body. Takes time for all of `sql`.
    ///
    /// @see <a href="https://www.sqlite.org/c3ref/complete.html">SQLite: Determine If An SQL Statement Is Complete</a>
    public static boolean isComplete(String sql) {
        return NativeStatement.complete((sql + '\0').getBytes(StandardCharsets.UTF_8)) != 0;
    }

    /// Binds a value of any storage class.
    public SqliteStatement bind(int index, Value value) {
        return switch (value) {
            case Value.Null _ -> bindNull(index);
            case Value.Int(long number) -> bindInt(index, number);
            case Value.Real(double number) -> bindReal(index, number);
            case Value.Text(String text) -> bindText(index, text);
            case Value.Blob blob -> bindBlob(index, NativeValue.bytes(blob));
        };
    }

    public SqliteStatement bindNull(int index) {
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindNull(handle(), index));
        } finally {
            thread.leave(before);
        }
    }

    public SqliteStatement bindInt(int index, long value) {
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindInt(handle(), index, value));
        } finally {
            thread.leave(before);
        }
    }

    /// @throws IllegalArgumentException for NaN, which SQLite would silently store as NULL
    public SqliteStatement bindReal(int index, double value) {
        if (Double.isNaN(value)) throw new IllegalArgumentException("NaN has no SQLite value, at parameter " + index);
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindReal(handle(), index, value));
        } finally {
            thread.leave(before);
        }
    }

    /// Binds text, or NULL for null. U+0000 is stored like any other character.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] for an unpaired surrogate
    public SqliteStatement bindText(int index, @Nullable String value) {
        if (value == null) return bindNull(index);
        byte[] bytes = Utf8.bytes(value, index);
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindText(handle(), index, bytes));
        } finally {
            thread.leave(before);
        }
    }

    public SqliteStatement bindBlob(int index, byte[] value) {
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindBlob(handle(), index, value));
        } finally {
            thread.leave(before);
        }
    }

    /// Binds UTF-8 text without copying it. The memory must stay alive and unchanged until the parameter is bound again
    /// or cleared, or the statement is closed. It is not checked that the bytes are UTF-8.
    ///
    /// @param buffer native memory
    /// @throws IndexOutOfBoundsException if `buffer` has no such range
    public SqliteStatement bindTextStatic(int index, MemorySegment buffer, long offset, int length) {
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindTextStatic(handle(), index, address(buffer, offset, length), length));
        } finally {
            thread.leave(before);
        }
    }

    /// As [#bindTextStatic], for a blob.
    public SqliteStatement bindBlobStatic(int index, MemorySegment buffer, long offset, int length) {
        Thread before = thread.touch();
        try {
            return bound(index, NativeBind.bindBlobStatic(handle(), index, address(buffer, offset, length), length));
        } finally {
            thread.leave(before);
        }
    }

    /// The number of the parameter with this name, such as `:a`, `@a`, `$a` or `?1`; 0 if the statement has none.
    public int parameterIndex(String name) {
        Thread before = thread.touch();
        try (Arena memory = Arena.ofConfined()) {
            if (name.indexOf('\0') >= 0) return 0;
            return NativeBind.parameterIndex(handle(), memory.allocateFrom(name).address());
        } finally {
            thread.leave(before);
        }
    }

    /// The parameter's name with its first character, such as `:a` or `?1`. Null for a plain `?`, or if no parameter
    /// has that number.
    public @Nullable String parameterName(int index) {
        Thread before = thread.touch();
        try {
            return NativeLibrary.string(NativeBind.parameterName(handle(), index));
        } finally {
            thread.leave(before);
        }
    }

    /// The greatest number of a parameter. With parameters such as `?5` it can be more than the number of parameters.
    public int parameterCount() {
        Thread before = thread.touch();
        try {
            return NativeBind.parameterCount(handle());
        } finally {
            thread.leave(before);
        }
    }

    /// Runs to the next row or to the end. After the end it is ready to run again from the start.
    ///
    /// @return true if there is a row to read, false if the statement is done
    /// @throws SqliteException if it fails; it is reset then
    public boolean step() {
        Thread before = thread.enter();
        try {
            int code = nativeStep(handle());
            if (code == ResultCode.ROW) {
                if (rowColumns < 0) rowColumns = NativeColumn.dataCount(pointer);
                connection.rethrowFromCallback();
                return true;
            }
            SqliteException failure =
                    code == ResultCode.DONE ? null : connection.statementFailure(code, "The statement did not finish");
            rowColumns = -1;
            NativeStatement.reset(pointer);
            connection.statementEnded();
            if (failure != null) throw failure;
            connection.rethrowFromCallback();
            return false;
        } finally {
            thread.leave(before);
        }
    }

    /// Runs to the end and discards rows; then it is ready to run again.
    public void run() {
        boolean more = true;
        while (more) more = step();
    }

    /// Makes it ready to run again from the start; bound values stay.
    public SqliteStatement reset() {
        Thread before = thread.enter();
        try {
            long statement = handle();
            checkNotStepping();
            NativeStatement.reset(statement);
            if (rowColumns >= 0) connection.statementEnded();
            rowColumns = -1;
            return this;
        } finally {
            thread.leave(before);
        }
    }

    /// Sets every parameter to NULL.
    public SqliteStatement clearBindings() {
        Thread before = thread.touch();
        try {
            NativeBind.clearBindings(handle());
            return this;
        } finally {
            thread.leave(before);
        }
    }

    public int columnCount() {
        Thread before = thread.touch();
        try {
            return NativeStatement.columnCount(handle());
        } finally {
            thread.leave(before);
        }
    }

    /// The result column's name: the one after its `AS`, else one that SQLite chooses.
    public String columnName(int column) {
        Thread before = thread.touch();
        try {
            return Objects.requireNonNull(NativeLibrary.string(NativeStatement.columnName(anyColumn(column), column)));
        } finally {
            thread.leave(before);
        }
    }

    /// The declared type of the table column that a result column comes from; null for an expression.
    public @Nullable String declaredType(int column) {
        Thread before = thread.touch();
        try {
            return NativeLibrary.string(NativeStatement.declaredType(anyColumn(column), column));
        } finally {
            thread.leave(before);
        }
    }

    /// The table column that a result column comes from. Null for an expression, or if the library was built without
    /// SQLITE_ENABLE_COLUMN_METADATA.
    public @Nullable Origin origin(int column) {
        Thread before = thread.touch();
        try {
            long statement = anyColumn(column);
            String database = NativeLibrary.string(NativeOptional.databaseName(statement, column));
            String table = NativeLibrary.string(NativeOptional.tableName(statement, column));
            String name = NativeLibrary.string(NativeOptional.originName(statement, column));
            return database == null || table == null || name == null ? null : new Origin(database, table, name);
        } finally {
            thread.leave(before);
        }
    }

    public Type type(int column) {
        Thread before = thread.touch();
        try {
            return typeOf(row(column), column);
        } finally {
            thread.leave(before);
        }
    }

    /// The cell as an integer, as SQLite casts it: 0 for NULL and for text that is not a number.
    public long intAt(int column) {
        Thread before = thread.touch();
        try {
            return NativeColumn.columnInt(row(column), column);
        } finally {
            thread.leave(before);
        }
    }

    /// The cell as a double, as SQLite casts it: 0.0 for NULL and for text that is not a number.
    public double realAt(int column) {
        Thread before = thread.touch();
        try {
            return NativeColumn.columnReal(row(column), column);
        } finally {
            thread.leave(before);
        }
    }

    /// The cell as text, as SQLite casts it; null for NULL. Bytes that are not UTF-8 are read as U+FFFD.
    public @Nullable String textAt(int column) {
        Thread before = thread.touch();
        try {
            long statement = row(column);
            long address = NativeColumn.columnText(statement, column);
            if (address == 0) return null;
            byte[] bytes = NativeLibrary.bytes(address, NativeColumn.columnBytes(statement, column));
            return new String(bytes, StandardCharsets.UTF_8);
        } finally {
            thread.leave(before);
        }
    }

    /// The cell as bytes; null for NULL. For text these are its UTF-8 bytes, for a number those of its decimal text.
    public byte @Nullable [] blobAt(int column) {
        Thread before = thread.touch();
        try {
            long statement = row(column);
            if (typeOf(statement, column) == Type.NULL) return null;
            long address = NativeColumn.columnBlob(statement, column);
            return NativeLibrary.bytes(address, NativeColumn.columnBytes(statement, column));
        } finally {
            thread.leave(before);
        }
    }

    /// Copies the cell's bytes, or its text in UTF-8, into `target`, or into a new array if `target` is too small.
    /// [#lengthAt] tells how many bytes there are.
    ///
    /// @return the array with the bytes: `target` if it was large enough
    public byte[] bytesAt(int column, byte[] target) {
        Thread before = thread.touch();
        try {
            long statement = row(column);
            long address = NativeColumn.columnBlob(statement, column);
            int length = NativeColumn.columnBytes(statement, column);
            byte[] bytes = length <= target.length ? target : new byte[Math.max(length, 2 * target.length)];
            if (length > 0) MemorySegment.copy(NativeLibrary.MEMORY, JAVA_BYTE, address, bytes, 0, length);
            return bytes;
        } finally {
            thread.leave(before);
        }
    }

    /// The number of bytes of the cell as UTF-8 text or blob; 0 for NULL.
    public int lengthAt(int column) {
        Thread before = thread.touch();
        try {
            return NativeColumn.columnBytes(row(column), column);
        } finally {
            thread.leave(before);
        }
    }

    /// Whether the cell is a number with this value. It does not matter whether it is stored as an integer or as a
    /// real.
    public boolean isInt(int column, long value) {
        Thread before = thread.touch();
        try {
            long statement = row(column);
            return switch (typeOf(statement, column)) {
                case INTEGER -> NativeColumn.columnInt(statement, column) == value;
                case REAL -> isSame(NativeColumn.columnReal(statement, column), value);
                case TEXT, BLOB, NULL -> false;
            };
        } finally {
            thread.leave(before);
        }
    }

    /// As [#isInt], for a real.
    public boolean isReal(int column, double value) {
        Thread before = thread.touch();
        try {
            long statement = row(column);
            return switch (typeOf(statement, column)) {
                case REAL -> NativeColumn.columnReal(statement, column) == value;
                case INTEGER -> isSame(value, NativeColumn.columnInt(statement, column));
                case TEXT, BLOB, NULL -> false;
            };
        } finally {
            thread.leave(before);
        }
    }

    /// Whether the cell is of this type (text or blob) and has exactly these bytes. Nothing is copied.
    ///
    /// @throws IndexOutOfBoundsException if `buffer` has no such range
    public boolean isBytes(int column, Type type, MemorySegment buffer, long offset, int length) {
        Thread before = thread.touch();
        try {
            long statement = row(column);
            if (typeOf(statement, column) != type) return false;
            long address = NativeColumn.columnBlob(statement, column);
            if (NativeColumn.columnBytes(statement, column) != length) return false;
            return length == 0
                    || MemorySegment.mismatch(
                                    NativeLibrary.MEMORY, address, address + length, buffer, offset, offset + length)
                            < 0;
        } finally {
            thread.leave(before);
        }
    }

    /// The cell in its own storage class.
    public Value valueAt(int column) {
        return switch (type(column)) {
            case INTEGER -> new Value.Int(intAt(column));
            case REAL -> new Value.Real(realAt(column));
            case TEXT -> new Value.Text(Objects.requireNonNull(textAt(column)));
            case BLOB -> new Value.Blob(ByteBuffer.wrap(Objects.requireNonNull(blobAt(column))));
            case NULL -> Value.Null.NULL;
        };
    }

    /// Whether the statement does not write to the database directly, as SQLite determines it.
    ///
    /// @see <a href="https://www.sqlite.org/c3ref/stmt_readonly.html">SQLite: Determine If An SQL Statement Writes The
    ///     Database</a>
    public boolean isReadonly() {
        return readonly;
    }

    /// The rest of the text that this statement was prepared from, after the statement; blank if there was nothing.
    public String tail() {
        return tail;
    }

    /// The statement's own text.
    public String sql() {
        return sql;
    }

    /// The statement with its literals replaced by `?`, as `sqlite3_normalized_sql` gives it.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#SQLITE_LIBRARY_MISSING] if the library was
    ///     built without it
    public String normalizedSql() {
        Thread before = thread.enter();
        try {
            String text = NativeLibrary.string(NativeOptional.normalizedSql(handle()));
            if (text != null) return text;
            throw NativeOptional.missing("sqlite3_normalized_sql", "SQLITE_ENABLE_NORMALIZE");
        } finally {
            thread.leave(before);
        }
    }

    /// Frees the statement. A second call does nothing.
    @Override
    public void close() {
        Thread before = thread.enter();
        try {
            if (pointer == 0) return;
            checkNotStepping();
            long closing = pointer;
            pointer = 0;
            NativeStatement.close(closing);
            if (rowColumns >= 0) connection.statementEnded();
            rowColumns = -1;
            connection.forget(this);
        } finally {
            thread.leave(before);
        }
    }

    int tailByte() {
        return tailByte;
    }

    private long handle() {
        if (pointer == 0) throw new IllegalStateException("SQLite statement on " + connection.file() + " is closed");
        return pointer;
    }

    private long anyColumn(int column) {
        long statement = handle();
        Objects.checkIndex(column, NativeStatement.columnCount(statement));
        return statement;
    }

    private long row(int column) {
        long statement = handle();
        if (rowColumns < 0) throw new IllegalStateException("there is no row: step() was not called or returned false");
        Objects.checkIndex(column, rowColumns);
        return statement;
    }

    private void checkNotStepping() {
        if (stepping) throw new IllegalStateException("a statement cannot be used from inside its own callback");
    }

    private int nativeStep(long statement) {
        checkNotStepping();
        stepping = true;
        try {
            return NativeStatement.step(statement);
        } finally {
            stepping = false;
        }
    }

    private static Type typeOf(long statement, int column) {
        return switch (NativeColumn.columnType(statement, column)) {
            case 1 -> Type.INTEGER;
            case 2 -> Type.REAL;
            case 3 -> Type.TEXT;
            case 4 -> Type.BLOB;
            default -> Type.NULL;
        };
    }

    /// Compares exactly, also where a double cannot represent every integer.
    private static boolean isSame(double real, long integer) {
        return real == integer && real < 0x1p63 && (long) real == integer;
    }

    private static long address(MemorySegment buffer, long offset, int length) {
        if (!buffer.isNative()) throw new IllegalArgumentException("static binds need native memory");
        Objects.checkFromIndexSize(offset, length, buffer.byteSize());
        // A null pointer would bind NULL, even with length 0.
        return length == 0 ? NativeBind.NOTHING.address() : buffer.address() + offset;
    }

    private SqliteStatement bound(int index, int code) {
        if (code == ResultCode.OK) return this;
        if (ResultCode.primary(code) == ResultCode.MISUSE) {
            throw new IllegalStateException(
                    "parameter %d cannot be bound while the statement runs: reset it first".formatted(index));
        }
        throw connection.statementFailure(code, "Parameter " + index + " was not bound");
    }
}
