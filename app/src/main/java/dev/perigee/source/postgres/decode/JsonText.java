package dev.perigee.source.postgres.decode;

import dev.perigee.source.postgres.decode.JsonForm.Array;
import dev.perigee.source.postgres.decode.JsonForm.Composite;
import dev.perigee.source.postgres.decode.JsonForm.Scalar;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

/// Reads the text form of a structure from left to right and writes JSON. It works on bytes: every byte that has a
/// meaning here is ASCII. All others are copied as they are, whatever the database's encoding.
///
/// @see <a href="https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO">Array Input and Output Syntax</a>
/// @see <a href="https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX">Composite Type Input and
///     Output Syntax</a>
final class JsonText {
    private static final byte[] NULL = ascii("null");
    private static final byte[] UNQUOTED_NULL = ascii("NULL");

    /// Begins the wrapper of a `json` value that would look like something else. JSON null looks like SQL's NULL, and
    /// an array in an array like one more dimension. An object that begins with the member `json` looks like a wrapped
    /// value.
    private static final byte[] WRAPPED = ascii("{\"json\":");

    private final byte[] in;
    private final int end;
    private final ByteArrayOutputStream out;
    private int at;

    private JsonText(byte[] in, int offset, int length, ByteArrayOutputStream out) {
        this.in = in;
        this.at = offset;
        this.end = offset + length;
        this.out = out;
    }

    static byte[] of(JsonForm form, byte[] text, int offset, int length) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(length + 16);
        new JsonText(text, offset, length, out).write(form);
        return out.toByteArray();
    }

    private void write(JsonForm form) {
        switch (form) {
            case Array array -> array(array);
            case Composite composite -> composite(composite);
            case Scalar scalar -> scalar(scalar);
        }
        if (at != end) throw unexpected();
    }

    private void nested(JsonForm form, byte[] text) {
        new JsonText(text, 0, text.length, out).write(form);
    }

    private void scalar(Scalar scalar) {
        switch (scalar) {
            case MULTIRANGE -> multirange();
            case HSTORE -> hstore();
            case TEXT -> string(in, at, end);
            case BOOLEAN -> put(ascii(in[at] == 't' ? "true" : "false"));
            case NUMBER -> {
                boolean isFinite = Character.isDigit(in[end - 1]); // not NaN, Infinity
                if (isFinite) out.write(in, at, end - at);
                else string(in, at, end);
            }
            case JSON -> {
                boolean isWrapped = looksWrapped();
                if (isWrapped) put(WRAPPED);
                out.write(in, at, end - at);
                if (isWrapped) out.write('}');
            }
            case TIME -> string(IsoText.of(text(at, end)));
            case BYTES -> string(base64(text(at, end)));
            case PADDED -> {
                int last = end;
                while (last > at && in[last - 1] == ' ') last--;
                string(in, at, last);
            }
        }
        at = end;
    }

    private boolean looksWrapped() {
        String json = text(at, end).strip();
        if (json.equals("null")) return true;
        return json.startsWith("{") && json.substring(1).stripLeading().startsWith("\"json\"");
    }

    /// The base64 of `\x00ff`, or of hexadecimal digits alone, as PostGIS writes them. Any other text is returned as it
    /// is.
    private static String base64(String text) {
        String hex = text.startsWith("\\x") ? text.substring(2) : text;
        try {
            return Base64.getEncoder().encodeToString(HexFormat.of().parseHex(hex));
        } catch (IllegalArgumentException _) {
            return text;
        }
    }

    /// Writes an array. Where a dimension does not begin at 1, the bounds stand before the array, and the JSON keeps
    /// them.
    private void array(Array form) {
        boolean hasBounds = in[at] == '[';
        if (hasBounds) {
            int equals = at;
            while (in[equals] != '=') equals++;
            put(ascii("{\"dims\" : \""));
            out.write(in, at, equals - at);
            put(ascii("\", \"values\" : "));
            at = equals + 1;
        }
        dimension(form);
        if (hasBounds) out.write('}');
    }

    private void dimension(Array form) {
        expect('{');
        out.write('[');
        boolean isFirst = true;
        while (!skip('}')) {
            if (!isFirst) {
                expect(form.delimiter());
                out.write(',');
            }
            isFirst = false;
            if (in[at] == '{') dimension(form);
            else element(form);
        }
        out.write(']');
    }

    private void element(Array form) {
        if (skip('"')) {
            element(form.element(), quoted());
            return;
        }
        int start = at;
        while (in[at] != form.delimiter() && in[at] != '}') at++;
        byte[] text = Arrays.copyOfRange(in, start, at);
        boolean isNull = Arrays.equals(text, UNQUOTED_NULL); // the text NULL would have quotes
        if (isNull) put(NULL);
        else element(form.element(), text);
    }

    private void element(JsonForm form, byte[] text) {
        boolean looksLikeDimension = form == Scalar.JSON
                && new String(text, StandardCharsets.UTF_8).stripLeading().startsWith("[");
        if (looksLikeDimension) put(WRAPPED);
        nested(form, text);
        if (looksLikeDimension) out.write('}');
    }

    private void composite(Composite form) {
        expect('(');
        out.write('{');
        boolean isFirst = true;
        for (JsonForm.Field field : form.fields()) {
            if (!isFirst) {
                expect(',');
                out.write(',');
            }
            isFirst = false;
            string(field.name());
            out.write(':');
            field(field.form());
        }
        expect(')');
        out.write('}');
    }

    private void field(JsonForm form) {
        if (skip('"')) {
            nested(form, quoted());
            return;
        }
        int start = at;
        while (in[at] != ',' && in[at] != ')') at++;
        if (start == at) put(NULL);
        else new JsonText(in, start, at - start, out).write(form);
    }

    /// Writes ranges with commas between them. Each range is a string in the source's own form.
    private void multirange() {
        expect('{');
        out.write('[');
        boolean isFirst = true;
        while (!skip('}')) {
            if (!isFirst) {
                expect(',');
                out.write(',');
            }
            isFirst = false;
            int start = at;
            while (in[at] != ')' && in[at] != ']') {
                if (in[at++] == '"') quoted();
            }
            at++;
            string(in, start, at);
        }
        out.write(']');
    }

    private void hstore() {
        out.write('{');
        boolean isFirst = true;
        while (at < end) {
            if (!isFirst) {
                expect(',');
                expect(' ');
                put(ascii(", "));
            }
            isFirst = false;
            expect('"');
            byte[] key = quoted();
            string(key, 0, key.length);
            put(ascii(": "));
            expect('=');
            expect('>');
            if (skip('"')) {
                byte[] value = quoted();
                string(value, 0, value.length);
            } else {
                for (char c : "NULL".toCharArray()) expect(c);
                put(NULL);
            }
        }
        out.write('}');
    }

    /// Reads to the closing quote; the opening quote was read before. Arrays and `hstore` write a backslash before a
    /// quote or a backslash. Composites and ranges write either of them twice.
    private byte[] quoted() {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        while (at < end) {
            byte c = in[at++];
            if (c == '"') {
                if (!skip('"')) return text.toByteArray();
            } else if (c == '\\' && at < end) {
                c = in[at++];
            }
            text.write(c);
        }
        throw unexpected();
    }

    private void string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        string(bytes, 0, bytes.length);
    }

    private void string(byte[] text, int from, int to) {
        out.write('"');
        for (int i = from; i < to; i++) {
            byte c = text[i];
            switch (c) {
                case '"', '\\' -> {
                    out.write('\\');
                    out.write(c);
                }
                case '\b' -> put(ascii("\\b"));
                case '\f' -> put(ascii("\\f"));
                case '\n' -> put(ascii("\\n"));
                case '\r' -> put(ascii("\\r"));
                case '\t' -> put(ascii("\\t"));
                default -> {
                    boolean isControl = c >= 0 && c < ' ';
                    if (isControl) put(ascii("\\u%04x".formatted(c)));
                    else out.write(c);
                }
            }
        }
        out.write('"');
    }

    private boolean skip(char c) {
        if (at >= end || in[at] != c) return false;
        at++;
        return true;
    }

    private void expect(char c) {
        if (!skip(c)) throw unexpected();
    }

    private String text(int from, int to) {
        return new String(in, from, to - from, StandardCharsets.UTF_8);
    }

    private void put(byte[] bytes) {
        out.write(bytes, 0, bytes.length);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private IllegalStateException unexpected() {
        return new IllegalStateException("cannot read the text of a structure at its byte %d".formatted(at));
    }
}
