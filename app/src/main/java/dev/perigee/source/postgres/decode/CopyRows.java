package dev.perigee.source.postgres.decode;

import java.sql.SQLException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.postgresql.copy.CopyOut;

/// The rows of a `COPY … TO STDOUT (FORMAT BINARY)`, one at a time, in the memory the driver received them in.
///
/// PostgreSQL sends a row in a message of its own, the header before the first; the protocol does not promise it, so a
/// row that continues in the next message is put together.
///
/// The end is known by its trailer: a stream that stops without one is a failure and never a short answer.
///
/// @see <a href="https://www.postgresql.org/docs/current/sql-copy.html">COPY, Binary Format</a>
public final class CopyRows implements Fields {
    private static final byte[] SIGNATURE = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0};
    private static final int TRAILER = -1;

    private final CopyOut copy;
    private final int fields;
    private final int[] offsets;
    private final int[] lengths;

    private byte[] bytes = {};
    private int at;
    private byte[] row = {};
    private boolean isEnded;

    /// @param fields in each row
    public CopyRows(CopyOut copy, int fields) throws SQLException {
        this.copy = copy;
        this.fields = fields;
        this.offsets = new int[fields];
        this.lengths = new int[fields];
        readHeader();
    }

    /// Goes to the next row.
    ///
    /// @return false at the end; the last row can still be read then
    public boolean next() throws SQLException {
        if (isEnded) return false;
        require(2);
        int count = BigEndian.int2(bytes, at);
        if (count == TRAILER) {
            isEnded = true;
            readToTheEnd();
            return false;
        }
        if (count != fields) throw new IllegalStateException("a row of %d fields, not %d".formatted(count, fields));
        int next = 2; // relative to `at`, because requiring more may move it
        for (int field = 0; field < fields; field++) {
            require(next + 4);
            int length = BigEndian.int4(bytes, at + next);
            next += 4;
            offsets[field] = next;
            lengths[field] = length;
            if (length > 0) {
                next += length;
                require(next);
            }
        }
        for (int field = 0; field < fields; field++) offsets[field] += at;
        row = bytes;
        at += next;
        return true;
    }

    /// The bytes that hold the row's fields.
    public byte[] bytes() {
        return row;
    }

    public int offset(int field) {
        return offsets[field];
    }

    /// @return -1 for NULL
    public int length(int field) {
        return lengths[field];
    }

    private void readHeader() throws SQLException {
        int fixed = SIGNATURE.length + 8;
        require(fixed);
        if (!Arrays.equals(bytes, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length)) {
            throw new IllegalStateException("the answer to COPY is not in the binary format");
        }
        int extension = BigEndian.int4(bytes, SIGNATURE.length + 4);
        require(fixed + extension);
        at = fixed + extension;
    }

    /// Lets the driver finish the statement, so that an error that the server reports after the last row is not missed.
    private void readToTheEnd() throws SQLException {
        while (copy.readFromCopy() != null) {
            // nothing follows the trailer
        }
    }

    /// Reads messages until `length` bytes are available from `at` on.
    private void require(int length) throws SQLException {
        while (bytes.length - at < length) {
            byte @Nullable [] message = copy.readFromCopy();
            if (message == null) throw new SQLException("the rows ended without the trailer of COPY", "08P01");
            int left = bytes.length - at;
            if (left == 0) {
                bytes = message;
            } else {
                byte[] joined = Arrays.copyOfRange(bytes, at, bytes.length + message.length);
                System.arraycopy(message, 0, joined, left, message.length);
                bytes = joined;
            }
            at = 0;
        }
    }
}
