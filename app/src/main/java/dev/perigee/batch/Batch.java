package dev.perigee.batch;

import com.dynatrace.hash4j.hashing.ByteAccess;
import com.dynatrace.hash4j.hashing.HashStream128;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/// Rows in off-heap memory. One thread fills the batch, another one reads it, and then it is cleared and filled again.
/// The caller hands it from one thread to the other, through a queue.
///
/// A row is `columns` cells of 16 bytes each. Eight bytes hold the number, or the offset of the text or blob in the
/// second segment; four hold its length; four hold the storage class. Texts and blobs follow one another in the second
/// segment. A row is bound to a statement with pointers into that segment, without a copy.
///
/// A batch is bounded in rows, in cells ([#MAX_CELL_BYTES]) and in bytes: [#isFull()] says when to hand it on. A row
/// larger than the byte limit is still taken whole, up to [#MAX_ROW_BYTES].
public final class Batch implements AutoCloseable {
    /// The largest row taken, in bytes: SQLite's own limit on a row.
    public static final long MAX_ROW_BYTES = 1_000_000_000L;

    /// The most bytes that a batch's cells may take. It gives very wide tables fewer rows in a batch.
    public static final long MAX_CELL_BYTES = 8L << 20;

    private static final int CELL_BYTES = 16;
    private static final int LENGTH_AT = 8;
    private static final int TYPE_AT = 12;
    private static final long FIRST_CELL_BYTES = 16 << 10;
    private static final long FIRST_DATA_BYTES = 64 << 10;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ByteAccess<MemorySegment> BYTES = ByteAccess.forMemorySegment(MemorySegment.class);
    private static final SqliteStatement.Type[] TYPES = SqliteStatement.Type.values();

    private final int columns;
    private final int maxRows;
    private final long maxBytes;
    private final long maxRowBytes;
    private final Buffer cells;
    private final Buffer data;
    private final BitSet leaving = new BitSet();
    private int rowCount;
    private int cellCount; // cells put so far in the row being filled
    private long dataBytes;
    private long rowStart; // where the row being filled begins in `data`

    /// @param columns cells in a row, at least 1
    /// @param maxRows the most rows it holds
    /// @param maxBytes bytes of text and blobs at which it counts as full
    public Batch(int columns, int maxRows, long maxBytes) {
        this(columns, maxRows, maxBytes, MAX_ROW_BYTES);
    }

    /// @param maxRowBytes the largest row taken, at most [#MAX_ROW_BYTES]
    public Batch(int columns, int maxRows, long maxBytes, long maxRowBytes) {
        if (columns < 1 || maxRows < 1 || maxBytes < 1) {
            throw new IllegalArgumentException(
                    "a batch of %d columns, %d rows, %d bytes".formatted(columns, maxRows, maxBytes));
        }
        this.columns = columns;
        this.maxRows = (int) Math.max(1, Math.min(maxRows, MAX_CELL_BYTES / ((long) columns * CELL_BYTES)));
        this.maxBytes = maxBytes;
        this.maxRowBytes = Math.min(maxRowBytes, MAX_ROW_BYTES);
        this.cells = new Buffer(Math.max(FIRST_CELL_BYTES, (long) columns * CELL_BYTES));
        this.data = new Buffer(FIRST_DATA_BYTES);
    }

    // Filling: exactly `columns` puts, then endRow.

    public void putNull() {
        put(0, 0, SqliteStatement.Type.NULL);
    }

    public void putInt(long value) {
        put(value, 0, SqliteStatement.Type.INTEGER);
    }

    /// @param value not NaN, which SQLite would store as NULL
    public void putReal(double value) {
        if (Double.isNaN(value)) throw new IllegalArgumentException("NaN has no SQLite value");
        put(Double.doubleToRawLongBits(value), 0, SqliteStatement.Type.REAL);
    }

    /// Puts text, which is copied. The bytes must be UTF-8; this is not checked.
    public void putText(byte[] bytes, int offset, int length) {
        putBytes(bytes, offset, length, SqliteStatement.Type.TEXT);
    }

    public void putText(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        putText(bytes, 0, bytes.length);
    }

    public void putBlob(byte[] bytes, int offset, int length) {
        putBytes(bytes, offset, length, SqliteStatement.Type.BLOB);
    }

    public void put(Value value) {
        switch (value) {
            case Value.Null _ -> putNull();
            case Value.Int(long number) -> putInt(number);
            case Value.Real(double number) -> putReal(number);
            case Value.Text(String text) -> putText(text);
            case Value.Blob(ByteBuffer bytes) -> {
                byte[] copy = new byte[bytes.remaining()];
                bytes.get(copy);
                putBlob(copy, 0, copy.length);
            }
        }
    }

    public void endRow() {
        if (cellCount != columns) {
            throw new IllegalStateException("a row of %d cells ended after %d".formatted(columns, cellCount));
        }
        cellCount = 0;
        rowStart = dataBytes;
        rowCount++;
    }

    /// As [#endRow()], for a row that the copy must not have. Only the cells of its key count.
    public void endLeavingRow() {
        endRow();
        leaving.set(rowCount - 1);
    }

    /// Drops the cells put since the last [#endRow()].
    public void abandonRow() {
        cellCount = 0;
        dataBytes = rowStart;
    }

    public boolean isFull() {
        return rowCount >= maxRows || dataBytes >= maxBytes;
    }

    // Reading.

    public int columns() {
        return columns;
    }

    public int rowCount() {
        return rowCount;
    }

    /// Whether the row was ended by [#endLeavingRow()].
    public boolean isLeaving(int row) {
        return leaving.get(row);
    }

    /// Bytes of text and blobs in whole rows.
    public long byteCount() {
        return rowStart;
    }

    public SqliteStatement.Type type(int row, int column) {
        return TYPES[cells.segment().get(INT, cell(row, column) + TYPE_AT)];
    }

    public Value value(int row, int column) {
        long cell = cell(row, column);
        long number = cells.segment().get(LONG, cell);
        return switch (type(row, column)) {
            case NULL -> Value.Null.NULL;
            case INTEGER -> new Value.Int(number);
            case REAL -> new Value.Real(Double.longBitsToDouble(number));
            case TEXT -> new Value.Text(new String(bytes(cell), StandardCharsets.UTF_8));
            case BLOB -> new Value.Blob(ByteBuffer.wrap(bytes(cell)));
        };
    }

    /// Binds a whole row to parameters 1 to `columns`. Text and blobs are not copied: the batch must not change before
    /// the statement has run.
    public void bind(int row, SqliteStatement statement) {
        MemorySegment segment = cells.segment();
        long cell = cell(row, 0);
        for (int parameter = 1; parameter <= columns; parameter++, cell += CELL_BYTES) {
            bind(segment, cell, statement, parameter);
        }
    }

    /// Binds one cell to one parameter, as [#bind(int, SqliteStatement)].
    public void bindCell(int row, int column, SqliteStatement statement, int parameter) {
        bind(cells.segment(), cell(row, column), statement, parameter);
    }

    /// The number in a cell of type INTEGER.
    public long intAt(int row, int column) {
        return cells.segment().get(LONG, cell(row, column));
    }

    /// The number in a cell of type REAL.
    public double realAt(int row, int column) {
        return Double.longBitsToDouble(intAt(row, column));
    }

    /// The number of bytes in a cell of type TEXT or BLOB.
    public int lengthAt(int row, int column) {
        return cells.segment().get(INT, cell(row, column) + LENGTH_AT);
    }

    /// One byte of a cell of type TEXT or BLOB.
    public byte byteAt(int row, int column, int index) {
        return data.segment().get(ValueLayout.JAVA_BYTE, intAt(row, column) + index);
    }

    /// Copies bytes `from` to `from + length` of a cell of type TEXT or BLOB to `target`.
    public void copyBytes(int row, int column, long from, MemorySegment target, long at, long length) {
        MemorySegment.copy(data.segment(), intAt(row, column) + from, target, at, length);
    }

    /// Whether a cell equals a result column of `statement`. Numbers are compared by value, text and blobs by their
    /// bytes, and nothing is copied. Affinity is not applied: text and a number are never equal here.
    public boolean isSame(int row, int column, SqliteStatement statement, int statementColumn) {
        return isSame(cells.segment(), cell(row, column), statement, statementColumn);
    }

    /// Whether all cells of a row equal the result columns of `statement` from `firstColumn` on, as [#isSame(int, int,
    /// SqliteStatement, int)] compares them.
    public boolean isSame(int row, SqliteStatement statement, int firstColumn) {
        MemorySegment segment = cells.segment();
        long cell = cell(row, 0);
        for (int column = 0; column < columns; column++, cell += CELL_BYTES) {
            if (!isSame(segment, cell, statement, firstColumn + column)) return false;
        }
        return true;
    }

    /// Empties it for reuse. Its memory is kept, unless a very large row has made it grow far beyond the byte limit.
    public void clear() {
        rowCount = 0;
        leaving.clear();
        cellCount = 0;
        dataBytes = 0;
        rowStart = 0;
        if (data.size() > 4 * Math.max(maxBytes, FIRST_DATA_BYTES)) data.restart();
    }

    /// Releases the memory. Using the batch afterwards throws [IllegalStateException]. A second call does nothing.
    @Override
    public void close() {
        cells.close();
        data.close();
    }

    private void bind(MemorySegment segment, long cell, SqliteStatement statement, int parameter) {
        long number = segment.get(LONG, cell);
        switch (TYPES[segment.get(INT, cell + TYPE_AT)]) {
            case NULL -> statement.bindNull(parameter);
            case INTEGER -> statement.bindInt(parameter, number);
            case REAL -> statement.bindReal(parameter, Double.longBitsToDouble(number));
            case TEXT ->
                statement.bindTextStatic(parameter, data.segment(), number, segment.get(INT, cell + LENGTH_AT));
            case BLOB ->
                statement.bindBlobStatic(parameter, data.segment(), number, segment.get(INT, cell + LENGTH_AT));
        }
    }

    private boolean isSame(MemorySegment segment, long cell, SqliteStatement statement, int column) {
        long number = segment.get(LONG, cell);
        SqliteStatement.Type type = TYPES[segment.get(INT, cell + TYPE_AT)];
        return switch (type) {
            case NULL -> statement.type(column) == SqliteStatement.Type.NULL;
            case INTEGER -> statement.isInt(column, number);
            case REAL -> statement.isReal(column, Double.longBitsToDouble(number));
            case TEXT, BLOB ->
                statement.isBytes(column, type, data.segment(), number, segment.get(INT, cell + LENGTH_AT));
        };
    }

    /// Puts a whole row into `hash`: for each cell its storage class and its number or length, then the bytes of all
    /// texts and blobs. A whole number hashes alike as integer and as real.
    void hash(int row, HashStream128 hash) {
        MemorySegment segment = cells.segment();
        long cell = cell(row, 0);
        long bytes = 0;
        long from = 0;
        for (int column = 0; column < columns; column++, cell += CELL_BYTES) {
            long number = segment.get(LONG, cell);
            SqliteStatement.Type type = TYPES[segment.get(INT, cell + TYPE_AT)];
            switch (type) {
                case NULL -> hash.putByte((byte) 'n');
                case INTEGER -> hash.putByte((byte) 'i').putLong(number);
                case REAL -> hash(Double.longBitsToDouble(number), hash);
                case TEXT, BLOB -> {
                    int length = segment.get(INT, cell + LENGTH_AT);
                    hash.putByte((byte) (type == SqliteStatement.Type.TEXT ? 't' : 'b'))
                            .putInt(length);
                    if (bytes == 0) from = number;
                    bytes += length;
                }
            }
        }
        // A row's texts and blobs follow one another without a gap.
        if (bytes > 0) hash.putBytes(data.segment(), from, bytes, BYTES);
    }

    private static void hash(double number, HashStream128 hash) {
        boolean isWhole = number == Math.rint(number) && Math.abs(number) < 0x1p63;
        if (isWhole) hash.putByte((byte) 'i').putLong((long) number);
        else hash.putByte((byte) 'r').putLong(Double.doubleToLongBits(number));
    }

    private void putBytes(byte[] bytes, int offset, int length, SqliteStatement.Type type) {
        long end = dataBytes + length;
        if (end - rowStart > maxRowBytes) {
            throw Fault.VALUE_UNSTORABLE.in(
                    "a row",
                    "it has more than %d bytes, which SQLite cannot hold".formatted(maxRowBytes),
                    "The row was not stored");
        }
        data.reserve(end, dataBytes);
        MemorySegment.copy(bytes, offset, data.segment(), ValueLayout.JAVA_BYTE, dataBytes, length);
        put(dataBytes, length, type);
        dataBytes = end;
    }

    private void put(long value, int length, SqliteStatement.Type type) {
        if (cellCount == columns) {
            throw new IllegalStateException("a row of %d cells got one more".formatted(columns));
        }
        long cell = ((long) rowCount * columns + cellCount) * CELL_BYTES;
        cells.reserve(cell + CELL_BYTES, cell);
        MemorySegment segment = cells.segment();
        segment.set(LONG, cell, value);
        segment.set(INT, cell + LENGTH_AT, length);
        segment.set(INT, cell + TYPE_AT, type.ordinal());
        cellCount++;
    }

    private byte[] bytes(long cell) {
        byte[] bytes = new byte[cells.segment().get(INT, cell + LENGTH_AT)];
        MemorySegment.copy(
                data.segment(), ValueLayout.JAVA_BYTE, cells.segment().get(LONG, cell), bytes, 0, bytes.length);
        return bytes;
    }

    private long cell(int row, int column) {
        if (row < 0 || row >= rowCount || column < 0 || column >= columns) {
            throw new IndexOutOfBoundsException(
                    "cell (%d, %d) of %d rows and %d columns".formatted(row, column, rowCount, columns));
        }
        return ((long) row * columns + column) * CELL_BYTES;
    }
}
