package dev.perigee.serve;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/// The `ETag` of an answer, made from its bytes.
///
/// The copies' positions would not do: rows of a copy also change between two positions, by the pages of a sync, a
/// repair or an admin. Two callers may also see different rows of the same copy.
///
/// @see <a href="https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3">RFC 9110, section 8.8.3</a>
final class EntityTag {
    private static final int BYTES = 18;

    private EntityTag() {}

    /// The tag of the first `length` bytes of `body`.
    static String of(byte[] body, int length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(body, 0, length);
            return '"' + Base64.getUrlEncoder().encodeToString(Arrays.copyOf(digest.digest(), BYTES)) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /// Whether a client that sends `If-None-Match: header` has the answer with this tag.
    static boolean isKnown(String header, String tag) {
        for (String part : header.split(",")) {
            String known = part.strip();
            if (known.equals("*") || known.equals(tag) || known.equals("W/" + tag)) return true;
        }
        return false;
    }
}
