package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/// SQL of one or more statements, as SQLite reads it: UTF-8 with a zero at its end. SQLite counts bytes, people count
/// lines and columns, Java counts UTF-16 units; here they meet.
final class StatementText {
    private final String sql;
    private final byte[] bytes;
    private final MemorySegment memory;

    /// A place in the text. Lines and columns count from 1, a column is one character.
    record Place(int offset, int line, int column) {}

    /// @param arena whose life the native copy shares
    /// @throws SqliteException [dev.perigee.fault.Fault#STATEMENT_INVALID] for U+0000, at which SQLite would stop
    ///     reading without a word
    StatementText(String sql, Arena arena) {
        int zero = sql.indexOf('\0');
        this.sql = sql;
        this.bytes = Utf8.bytes(sql, "SQL statement");
        if (zero >= 0) {
            throw SqliteFailures.refused("SQL text cannot hold U+0000", placeOf(zero));
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

    /// Where the byte at `byteIndex` is.
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
