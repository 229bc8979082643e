package dev.perigee.source.postgres.log;

import dev.perigee.source.postgres.decode.BigEndian;
import java.util.function.IntPredicate;

/// The fields of one row in a message of the stream, in the memory the driver received them in. It is used again for
/// the next message. Not safe for many threads.
public final class LogTuple {
    /// What a field holds.
    public enum Kind {
        NULL,
        /// A large value that the update did not touch. The stream does not tell it.
        UNCHANGED,
        TEXT
    }

    private byte[] bytes = {};
    private int count;
    private Kind[] kinds = {};
    private int[] offsets = {};
    private int[] lengths = {};

    /// Reads a tuple that begins at `at`.
    ///
    /// @return the index after its last byte
    int read(byte[] message, int at) {
        bytes = message;
        count = BigEndian.int2(message, at);
        if (count > kinds.length) {
            kinds = new Kind[count];
            offsets = new int[count];
            lengths = new int[count];
        }
        int next = at + 2;
        for (int field = 0; field < count; field++) {
            kinds[field] = kind(message[next++]);
            lengths[field] = 0;
            if (kinds[field] == Kind.TEXT) {
                lengths[field] = BigEndian.int4(message, next);
                next += 4;
            }
            offsets[field] = next;
            next += lengths[field];
        }
        return next;
    }

    /// Takes the values that are not in the stream from the same row before the change. Both rows are in one message,
    /// so only places are taken.
    ///
    /// @param isTold whether `before` tells this field
    void complete(LogTuple before, IntPredicate isTold) {
        if (bytes != before.bytes) throw new IllegalStateException("two rows of different messages");
        for (int field = 0; field < count; field++) {
            boolean isTaken = kinds[field] == Kind.UNCHANGED && isTold.test(field);
            if (!isTaken) continue;
            kinds[field] = before.kinds[field];
            lengths[field] = before.lengths[field];
            offsets[field] = before.offsets[field];
        }
    }

    /// The number of fields.
    public int count() {
        return count;
    }

    /// The bytes that hold the fields.
    public byte[] bytes() {
        return bytes;
    }

    public Kind kind(int field) {
        return kinds[field];
    }

    public int offset(int field) {
        return offsets[field];
    }

    /// @return bytes of the value; 0 where the field holds none
    public int length(int field) {
        return lengths[field];
    }

    private static Kind kind(byte kind) {
        return switch (kind) {
            case 'n' -> Kind.NULL;
            case 'u' -> Kind.UNCHANGED;
            case 't' -> Kind.TEXT;
            default -> throw new IllegalStateException("a field of kind " + kind + " in the stream");
        };
    }
}
