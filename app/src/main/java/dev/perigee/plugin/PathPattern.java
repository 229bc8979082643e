package dev.perigee.plugin;

import dev.perigee.fault.Fault;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A path such as `/replication/tables/:name`, matched segment by segment. A `:name` segment matches any segment that
/// is not empty. A slash inside a value is sent as `%2F`.
record PathPattern(String text, List<String> segments) {
    static PathPattern of(String text) {
        if (!text.startsWith("/")) throw new IllegalArgumentException("a route's path must begin with /: " + text);
        return new PathPattern(text, split(text));
    }

    /// Whether it has no `:name` segment, so that comparing the text is enough.
    boolean isLiteral() {
        return segments.stream().noneMatch(segment -> segment.startsWith(":"));
    }

    /// Matches a path that was split but not decoded.
    ///
    /// @return the values of the `:name` segments, decoded; empty if the path does not match
    Optional<Map<String, String>> match(List<String> path) {
        if (path.size() != segments.size()) return Optional.empty();
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < segments.size(); i++) {
            String segment = segments.get(i);
            String found = path.get(i);
            if (segment.startsWith(":")) {
                if (found.isEmpty()) return Optional.empty();
                values.put(segment.substring(1), decode(found));
            } else if (!segment.equals(found)) {
                return Optional.empty();
            }
        }
        return Optional.of(values);
    }

    static List<String> split(String path) {
        return List.of(path.substring(1).split("/", -1));
    }

    /// Decodes percent-encoded UTF-8. Unlike in form data, `+` stays a plus sign.
    static String decode(String text) {
        if (text.indexOf('%') < 0) return text;
        byte[] source = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer decoded = ByteBuffer.allocate(source.length);
        for (int i = 0; i < source.length; i++) {
            if (source[i] != '%') {
                decoded.put(source[i]);
                continue;
            }
            int high = i + 2 < source.length ? Character.digit(source[i + 1], 16) : -1;
            int low = i + 2 < source.length ? Character.digit(source[i + 2], 16) : -1;
            if (high < 0 || low < 0) throw malformed();
            decoded.put((byte) (high << 4 | low));
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(decoded.flip()).toString();
        } catch (CharacterCodingException e) {
            throw malformed();
        }
    }

    private static RuntimeException malformed() {
        return Fault.INVALID_REQUEST.saying("The path has a percent sign that does not begin an encoded UTF-8 byte.");
    }
}
