package dev.perigee.sqlite;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// Encodes Java strings as UTF-8, or refuses those that UTF-8 cannot represent.
///
/// U+0000 is a character like any other here: it is stored and read back, although SQLite's own functions (`length`,
/// `||`, `upper` …) stop at it. An unpaired surrogate (half a surrogate pair) has no UTF-8 and is refused: Java would
/// replace it by a `?`.
public final class Utf8 {
    private static final VarHandle EIGHT = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long QUESTION_MARKS = '?' * ONES;

    private Utf8() {}

    /// The text as UTF-8.
    ///
    /// @param where what the text is, for the message
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for an unpaired surrogate
    static byte[] bytes(String text, String where) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (hasHalfPair(text, bytes)) throw halfPair(where);
        return bytes;
    }

    /// As [#bytes(String, String)], for a statement's parameter. The text for the message is made only when needed.
    static byte[] bytes(String text, int parameter) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (hasHalfPair(text, bytes)) throw halfPair("parameter " + parameter);
        return bytes;
    }

    /// Whether `text` has an unpaired surrogate.
    ///
    /// @param bytes the text as Java encodes it, with a `?` in place of each unpaired surrogate
    public static boolean hasHalfPair(String text, byte[] bytes) {
        return hasQuestionMark(bytes) && hasHalfPair(text);
    }

    private static PerigeeException halfPair(String where) {
        return Fault.INVALID_REQUEST.in(
                where, "the text has half a surrogate pair, which is not a Unicode character", "Nothing was run");
    }

    /// Whether there is a `?`, which stands for an unpaired surrogate or for itself. Checks eight bytes at a time. Most
    /// texts have no `?`, and checking each character of the string instead took a fifth of an insert's time.
    private static boolean hasQuestionMark(byte[] bytes) {
        int i = 0;
        for (; i + Long.BYTES <= bytes.length; i += Long.BYTES) {
            long differs = (long) EIGHT.get(bytes, i) ^ QUESTION_MARKS;
            // The result has a byte's high bit set if the byte of `differs` is zero, so if it is a question mark.
            if (((differs - ONES) & ~differs & HIGH_BITS) != 0) return true;
        }
        for (; i < bytes.length; i++) {
            if (bytes[i] == '?') return true;
        }
        return false;
    }

    private static boolean hasHalfPair(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) continue;
            boolean paired = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (!paired) return true;
            i++;
        }
        return false;
    }
}
