package dev.perigee.batch;

import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.sqlite.Value;

/// Rows off the heap: filled by one thread, then read by one other, then cleared and filled again.
///
/// Text and blobs are bytes in one growing segment; a row's cells are fixed-size slots that hold a number or a place in
/// it. Bounded in rows and in bytes: [#isFull()] says when to hand it on. One row larger than the byte limit is taken
/// whole, up to [#MAX_ROW_BYTES].
public final class Batch implements AutoCloseable {
    /// The largest row taken, in bytes: SQLite's own limit on a row.
    public static final long MAX_ROW_BYTES = 1_000_000_000L;

    /// @param columns cells in a row, at least 1
    /// @param maxRows rows it holds
    /// @param maxBytes bytes of text and blobs after which it is full
    public Batch(int columns, int maxRows, long maxBytes) {
        throw new UnsupportedOperationException();
    }

    // Filling: exactly `columns` puts, then endRow.

    public void putNull() {
        throw new UnsupportedOperationException();
    }

    public void putInt(long value) {
        throw new UnsupportedOperationException();
    }

    /// @param value not NaN
    public void putReal(double value) {
        throw new UnsupportedOperationException();
    }

    /// UTF-8 text, copied.
    public void putText(byte[] bytes, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    public void putText(String text) {
        throw new UnsupportedOperationException();
    }

    public void putBlob(byte[] bytes, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    public void endRow() {
        throw new UnsupportedOperationException();
    }

    /// Drops the cells put since the last [#endRow()].
    public void abandonRow() {
        throw new UnsupportedOperationException();
    }

    public boolean isFull() {
        throw new UnsupportedOperationException();
    }

    // Reading.

    public int columns() {
        throw new UnsupportedOperationException();
    }

    public int rowCount() {
        throw new UnsupportedOperationException();
    }

    public long byteCount() {
        throw new UnsupportedOperationException();
    }

    public Type type(int row, int column) {
        throw new UnsupportedOperationException();
    }

    public Value value(int row, int column) {
        throw new UnsupportedOperationException();
    }

    /// Binds a whole row to parameters 1 to `columns`, text and blobs without copying: the batch must not change before
    /// the statement ran.
    public void bind(int row, SqliteStatement statement) {
        throw new UnsupportedOperationException();
    }

    /// Binds one cell to one parameter, as [#bind(int, SqliteStatement)].
    public void bindCell(int row, int column, SqliteStatement statement, int parameter) {
        throw new UnsupportedOperationException();
    }

    /// Empties it for reuse; memory stays, except what an outsized row had made it grow by.
    public void clear() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
