package dev.perigee.sqlite;

import dev.perigee.fault.Fault;
import java.nio.charset.StandardCharsets;

/// Java strings as UTF-8, exactly or not at all.
///
/// U+0000 is a character like any other here: it is stored and read back, although SQLite's own functions
/// (`length`, `||`, `upper` …) stop at it. Half a surrogate pair has no UTF-8 and is refused: Java would put a
/// `?` in its place.
final class Utf8 {
    private Utf8() {}

    /// @param where what the text is, for the message
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] for half a surrogate pair
    static byte[] bytes(String text, String where) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (hasHalfPair(text)) {
            throw Fault.INVALID_REQUEST.in(
                    where, "the text has half a surrogate pair, which is no Unicode character", "Nothing was run");
        }
        return bytes;
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
