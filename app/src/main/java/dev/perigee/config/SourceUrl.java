package dev.perigee.config;

import dev.perigee.config.SourceParts.Part;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/// Parses URLs such as `postgres://user:password@host:port/database?sslmode=require&schema=shop`, as libpq does.
///
/// No message quotes a piece of the URL: if an `@` or `/` in the password is not encoded, a piece of the password is
/// read as another part.
///
/// @see <a href="https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS">libpq: connection
///     URIs</a>
public final class SourceUrl {
    /// Query parameters that are parts of the address. As in libpq, they replace what stands before the `?`.
    private static final Map<String, Part> PARTS = Map.of(
            "host",
            Part.HOST,
            "port",
            Part.PORT,
            "user",
            Part.USER,
            "password",
            Part.PASSWORD,
            "dbname",
            Part.DATABASE,
            "schema",
            Part.DEFAULT_SCHEMA);

    private final String rest;
    private final String place;
    private final String field;
    private final ConfigErrors mistakes;
    private final SourceParts parts = new SourceParts();
    private int at;

    private SourceUrl(String rest, String place, String field, ConfigErrors mistakes) {
        this.rest = rest;
        this.place = place;
        this.field = field;
        this.mistakes = mistakes;
    }

    /// The source at a URL from the command line. If the URL has no password, it is taken from `EXTERNAL_DB_PASS`, else
    /// from `PGPASSWORD`.
    ///
    /// @param field the command's option that has the URL, for messages
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#CONFIG_INVALID] with every mistake
    public static SourceConfig source(String url, String field, Map<String, String> environment) {
        ConfigErrors mistakes = new ConfigErrors();
        SourceParts parts = read(url, "command line", field, mistakes);
        mistakes.refuse();
        Optional<SourceConfig> config =
                parts.config(SourceParts.Limits.DEFAULT, SourceEnvironment.password(environment), mistakes);
        mistakes.refuse();
        return config.orElseThrow();
    }

    static SourceParts read(String url, String place, String field, ConfigErrors mistakes) {
        int colon = url.indexOf("://");
        String scheme = colon < 0 ? "" : url.substring(0, colon);
        if (!scheme.equals("postgres") && !scheme.equals("postgresql")) {
            mistakes.add(
                    place,
                    field,
                    scheme.startsWith("jdbc:")
                            ? "expected postgres://user@host/database, without jdbc: before it"
                            : "expected postgres://user@host:port/database");
            return new SourceParts();
        }
        SourceUrl reading = new SourceUrl(url.substring(colon + 3), place, field, mistakes);
        reading.part(Part.TYPE, "postgresql");
        reading.user();
        reading.host();
        reading.database();
        reading.parameters();
        return reading.parts;
    }

    /// Reads `user:password@`. A second `@`, or an `@` after a slash, comes from a password that is not encoded: libpq
    /// would take the wrong host, so it is reported.
    private void user() {
        if (rest.indexOf('@') != rest.lastIndexOf('@') || rest.indexOf('@') > upTo("/")) {
            wrong("in a user's name or password, write %40 for an @ and %2F for a /");
            at = rest.length();
            return;
        }
        int end = upTo("@/");
        if (end == rest.length() || rest.charAt(end) == '/') return;
        int colon = rest.indexOf(':');
        boolean hasPassword = colon >= 0 && colon < end;
        part(Part.USER, rest.substring(0, hasPassword ? colon : end));
        if (hasPassword) part(Part.PASSWORD, rest.substring(colon + 1, end));
        at = end + 1;
    }

    private void host() {
        if (at < rest.length() && rest.charAt(at) == '[') {
            int close = rest.indexOf(']', at);
            if (close < 0) {
                wrong("the address after [ has no closing ]");
                at = rest.length();
                return;
            }
            part(Part.HOST, rest.substring(at + 1, close));
            at = close + 1;
            if (at < rest.length() && ":/?,".indexOf(rest.charAt(at)) < 0)
                wrong("expected a port or a database after ]");
        } else {
            int end = upTo(":/?,");
            part(Part.HOST, rest.substring(at, end));
            at = end;
        }
        if (at < rest.length() && rest.charAt(at) == ':') {
            int end = upTo("/?,");
            part(Part.PORT, rest.substring(at + 1, end));
            at = end;
        }
        if (at < rest.length() && rest.charAt(at) == ',') {
            wrong("several hosts are not supported; name one");
            at = upTo("/?");
        }
    }

    private void database() {
        if (at >= rest.length() || rest.charAt(at) != '/') return;
        int end = upTo("?");
        part(Part.DATABASE, rest.substring(at + 1, end));
        at = end;
    }

    private void parameters() {
        if (at >= rest.length() || rest.charAt(at) != '?') return;
        for (String parameter : rest.substring(at + 1).split("&")) {
            if (parameter.isEmpty()) continue;
            int equals = parameter.indexOf('=');
            if (equals < 0 || equals != parameter.lastIndexOf('=')) {
                wrong("expected name=value pairs after ?, separated by &");
                continue;
            }
            Optional<String> name = decoded(parameter.substring(0, equals));
            Optional<String> value = decoded(parameter.substring(equals + 1));
            if (name.isEmpty() || value.isEmpty()) continue;
            Part part = PARTS.get(name.get());
            if (part == null) parts.option(name.get(), value.get(), place, field, mistakes);
            else if (part == Part.HOST && value.get().contains(",")) wrong("several hosts are not supported; name one");
            else parts.replace(part, value.get(), place, field);
        }
    }

    /// Records a part. An empty part counts as missing, as in libpq.
    private void part(Part part, String encoded) {
        if (encoded.isEmpty()) return;
        decoded(encoded).ifPresent(value -> parts.put(part, value, place, field, mistakes));
    }

    private int upTo(String ends) {
        int end = at;
        while (end < rest.length() && ends.indexOf(rest.charAt(end)) < 0) end++;
        return end;
    }

    /// The percent-decoded text; a plus sign stays a plus sign. Empty, with a mistake reported, if it is not valid.
    private Optional<String> decoded(String encoded) {
        if (encoded.indexOf('%') < 0) return Optional.of(encoded);
        byte[] from = encoded.getBytes(StandardCharsets.UTF_8);
        ByteBuffer to = ByteBuffer.allocate(from.length);
        for (int i = 0; i < from.length; i++) {
            if (from[i] != '%') {
                to.put(from[i]);
                continue;
            }
            int high = i + 2 < from.length ? Character.digit(from[i + 1], 16) : -1;
            int low = i + 2 < from.length ? Character.digit(from[i + 2], 16) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                wrong("expected two hexadecimal digits, not 00, after a percent sign; write %25 for the sign itself");
                return Optional.empty();
            }
            to.put((byte) (high << 4 | low));
            i += 2;
        }
        try {
            return Optional.of(
                    StandardCharsets.UTF_8.newDecoder().decode(to.flip()).toString());
        } catch (CharacterCodingException e) {
            wrong("the percent-encoded bytes are not UTF-8");
            return Optional.empty();
        }
    }

    private void wrong(String expected) {
        mistakes.add(place, field, expected);
    }
}
