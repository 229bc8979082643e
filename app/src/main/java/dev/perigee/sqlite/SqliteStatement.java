package dev.perigee.sqlite;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// One prepared statement. Parameters count from 1, columns from 0, as in SQLite.
public final class SqliteStatement implements AutoCloseable {
    /// The storage class of a cell of the current row.
    public enum Type {
        INTEGER,
        REAL,
        TEXT,
        BLOB,
        NULL
    }

    private SqliteStatement() {}

    public SqliteStatement bind(int index, Value value) {
        throw new UnsupportedOperationException();
    }

    public SqliteStatement bindNull(int index) {
        throw new UnsupportedOperationException();
    }

    public SqliteStatement bindInt(int index, long value) {
        throw new UnsupportedOperationException();
    }

    public SqliteStatement bindReal(int index, double value) {
        throw new UnsupportedOperationException();
    }

    /// Null binds NULL.
    public SqliteStatement bindText(int index, @Nullable String value) {
        throw new UnsupportedOperationException();
    }

    public SqliteStatement bindBlob(int index, byte[] value) {
        throw new UnsupportedOperationException();
    }

    /// Binds UTF-8 text without copying it: the bytes must stay as they are until the statement is bound anew,
    /// cleared or closed.
    public SqliteStatement bindTextStatic(int index, MemorySegment buffer, long offset, int length) {
        throw new UnsupportedOperationException();
    }

    /// As [#bindTextStatic], for a blob.
    public SqliteStatement bindBlobStatic(int index, MemorySegment buffer, long offset, int length) {
        throw new UnsupportedOperationException();
    }

    /// @return the parameter's number, 0 where the statement has none of that name (`:a`, `@a`, `$a`, `?1`)
    public int parameterIndex(String name) {
        throw new UnsupportedOperationException();
    }

    public @Nullable String parameterName(int index) {
        throw new UnsupportedOperationException();
    }

    public int parameterCount() {
        throw new UnsupportedOperationException();
    }

    /// @return true when there is a row to read, false when the statement is done
    public boolean step() {
        throw new UnsupportedOperationException();
    }

    /// Runs to the end, drops rows, and makes it ready to run again.
    public void run() {
        throw new UnsupportedOperationException();
    }

    /// Makes it ready to run again; bound values stay.
    public SqliteStatement reset() {
        throw new UnsupportedOperationException();
    }

    public SqliteStatement clearBindings() {
        throw new UnsupportedOperationException();
    }

    public int columnCount() {
        throw new UnsupportedOperationException();
    }

    public String columnName(int column) {
        throw new UnsupportedOperationException();
    }

    /// The declared type of the table column behind a result column, null for an expression.
    public @Nullable String declaredType(int column) {
        throw new UnsupportedOperationException();
    }

    public Type type(int column) {
        throw new UnsupportedOperationException();
    }

    public long intAt(int column) {
        throw new UnsupportedOperationException();
    }

    public double realAt(int column) {
        throw new UnsupportedOperationException();
    }

    public @Nullable String textAt(int column) {
        throw new UnsupportedOperationException();
    }

    public byte @Nullable [] blobAt(int column) {
        throw new UnsupportedOperationException();
    }

    /// Copies the cell's UTF-8 text or bytes into `target`, which is made larger when needed.
    ///
    /// @return the array that holds them, `target` itself when it was large enough
    public byte[] bytesAt(int column, byte[] target) {
        throw new UnsupportedOperationException();
    }

    /// The number of bytes of the cell as text or blob.
    public int lengthAt(int column) {
        throw new UnsupportedOperationException();
    }

    public Value valueAt(int column) {
        throw new UnsupportedOperationException();
    }

    /// Whether it changes nothing, by SQLite's own judgement.
    public boolean isReadonly() {
        throw new UnsupportedOperationException();
    }

    /// What followed the first statement in the text it was prepared from; blank when nothing did.
    public String tail() {
        throw new UnsupportedOperationException();
    }

    public String sql() {
        throw new UnsupportedOperationException();
    }

    /// The statement with its literals replaced by `?`, as `sqlite3_normalized_sql` gives it.
    public String normalizedSql() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
