package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/// The SQL text of one or more statements, as SQLite reads it: UTF-8 with a zero at its end. Converts SQLite's byte
/// offsets to UTF-16 offsets, lines and columns.
final class StatementText {
    private final String sql;
    private final byte[] bytes;
    private final MemorySegment memory;

    /// A place in the text.
    ///
    /// @param offset UTF-16 index
    /// @param line counted from 1
    /// @param column in code points, counted from 1
    record Place(int offset, int line, int column) {}

    /// Makes a native copy of `sql`.
    ///
    /// @param arena holds the native copy
    /// @throws SqliteException [dev.perigee.fault.Fault#STATEMENT_INVALID] for U+0000, at which SQLite would silently
    ///     stop reading
    StatementText(String sql, Arena arena) {
        int zero = sql.indexOf('\0');
        this.sql = sql;
        this.bytes = Utf8.bytes(sql, "SQL statement");
        if (zero >= 0) {
            throw SqliteFailures.refused("SQL text cannot contain U+0000", placeOf(zero));
        }
        this.memory = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, 0, bytes.length);
    }

    long address() {
        return memory.address();
    }

    int byteCount() {
        return bytes.length;
    }

    /// The text between two byte indexes.
    String between(int fromByte, int toByte) {
        return fromByte == 0 && toByte == bytes.length
                ? sql
                : new String(bytes, fromByte, toByte - fromByte, StandardCharsets.UTF_8);
    }

    /// The place of the byte at `byteIndex`.
    Place place(int byteIndex) {
        return placeOf(between(0, Math.min(byteIndex, bytes.length)).length());
    }

    private Place placeOf(int offset) {
        String before = sql.substring(0, offset);
        int line = 1 + (int) before.chars().filter(c -> c == '\n').count();
        int column = 1 + before.codePointCount(before.lastIndexOf('\n') + 1, before.length());
        return new Place(offset, line, column);
    }
}
