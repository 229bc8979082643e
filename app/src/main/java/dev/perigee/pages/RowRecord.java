package dev.perigee.pages;

import dev.perigee.batch.Batch;
import dev.perigee.sqlite.Affinity;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/// The record of a row: a header with the type of each value, then the values. [#read] takes a row of a batch and
/// converts its values as SQLite does when they are inserted into columns with these affinities; [#writeTo] writes the
/// record.
///
/// @see <a href="https://www.sqlite.org/fileformat2.html#record_format">SQLite: Database File Format, section 2.1</a>
final class RowRecord {
    private static final int NULL = 0;
    private static final int INT_64 = 6;
    private static final int REAL = 7;
    private static final int ZERO = 8;
    private static final int ONE = 9;
    private static final int BLOB = 12;
    private static final int TEXT = 13;

    /// Bytes of the values of types 0 to 9.
    private static final int[] FIXED_BYTES = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private final TableShape.Column[] columns;
    private final int rowidColumn;
    private final long[] types;
    private final long[] numbers;
    private final MemorySegment header;
    private final MemorySegment number;
    private long headerBytes;
    private long bytes;

    RowRecord(TableShape shape, Arena arena) {
        List<TableShape.Column> all = shape.columns();
        this.columns = all.toArray(new TableShape.Column[0]);
        this.rowidColumn = shape.rowidColumn();
        this.types = new long[columns.length];
        this.numbers = new long[columns.length];
        this.header = arena.allocate((long) Varint.MAX_BYTES * (columns.length + 1));
        this.number = arena.allocate(Long.BYTES);
    }

    /// Takes a row.
    ///
    /// @return false if SQLite would refuse one of its values, or convert a text to a number or back; such rows are
    ///     left to SQLite
    boolean read(Batch batch, int row) {
        long typeBytes = 0;
        long valueBytes = 0;
        for (int column = 0; column < columns.length; column++) {
            long type = column == rowidColumn ? NULL : type(batch, row, column);
            if (type < 0) return false;
            types[column] = type;
            typeBytes += Varint.size(type);
            valueBytes += type < FIXED_BYTES.length ? FIXED_BYTES[(int) type] : (type - BLOB) / 2;
        }
        headerBytes = typeBytes + 1;
        if (Varint.size(headerBytes) > 1) headerBytes = typeBytes + Varint.size(typeBytes + 2);
        bytes = headerBytes + valueBytes;
        return true;
    }

    /// The size of the record.
    long bytes() {
        return bytes;
    }

    /// Writes the record of the row, which must still be in the batch.
    void writeTo(Payload payload, Batch batch, int row) {
        long end = Varint.put(header, 0, headerBytes);
        for (long type : types) end = Varint.put(header, end, type);
        payload.put(header, 0, end);
        for (int column = 0; column < columns.length; column++) {
            long type = types[column];
            if (type >= BLOB) {
                payload.put(batch, row, column, (type - BLOB) / 2);
            } else {
                int size = FIXED_BYTES[(int) type];
                if (size == 0) continue;
                number.set(LONG, 0, numbers[column]);
                payload.put(number, Long.BYTES - size, size);
            }
        }
    }

    /// The serial type of a cell; -1 if it is to be left to SQLite. Puts a number into `numbers`.
    private long type(Batch batch, int row, int column) {
        Affinity affinity = columns[column].affinity();
        return switch (batch.type(row, column)) {
            case NULL -> columns[column].isNotNull() ? -1 : NULL;
            case INTEGER -> affinity == Affinity.TEXT ? -1 : integer(batch.intAt(row, column), column);
            case REAL -> affinity == Affinity.TEXT ? -1 : real(batch.realAt(row, column), column);
            case TEXT -> {
                boolean isKept = affinity == Affinity.TEXT || affinity == Affinity.BLOB;
                yield isKept || !NumberLike.is(batch, row, column) ? TEXT + 2L * batch.lengthAt(row, column) : -1;
            }
            case BLOB -> BLOB + 2L * batch.lengthAt(row, column);
        };
    }

    /// In a column with the affinity REAL, SQLite stores a whole number as an integer, unless that takes eight bytes.
    private long integer(long value, int column) {
        int type = integerType(value);
        if (type == INT_64 && columns[column].affinity() == Affinity.REAL) {
            numbers[column] = Double.doubleToRawLongBits((double) value);
            return REAL;
        }
        numbers[column] = value;
        return type;
    }

    private long real(double value, int column) {
        long whole = (long) value;
        boolean isWhole = value == whole && whole > Long.MIN_VALUE && whole < Long.MAX_VALUE;
        if (isWhole && columns[column].affinity() != Affinity.BLOB) return integer(whole, column);
        numbers[column] = Double.doubleToRawLongBits(value);
        return REAL;
    }

    private static int integerType(long value) {
        if (value == 0) return ZERO;
        if (value == 1) return ONE;
        int bits = Long.SIZE + 1 - Long.numberOfLeadingZeros(value < 0 ? ~value : value);
        if (bits <= 32) return (bits + 7) / 8;
        return bits <= 48 ? 5 : INT_64;
    }
}
