package dev.perigee.bundled.transfer;

import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;
import tools.jackson.core.JsonGenerator;

/// Writes one table's rows, one at a time.
final class TableExport {
    private static final int BUFFER_BYTES = 64 << 10;
    private static final Pattern NEEDS_QUOTES = Pattern.compile("[\",\r\n]|^\\s|\\s$");

    private final SqliteConnection connection;
    private final String table;

    /// @param table as the database spells it
    TableExport(SqliteConnection connection, String table) {
        this.connection = connection;
        this.table = table;
    }

    /// Writes CSV by RFC 4180: a line of names, then a line for each row, ended by CR LF. NULL is an empty field, an
    /// empty text and an empty blob `""`; blobs are base64.
    void csv(OutputStream target) throws IOException {
        OutputStream out = new BufferedOutputStream(target, BUFFER_BYTES);
        try (SqliteStatement select = select()) {
            int count = select.columnCount();
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < count; column++) {
                if (column > 0) line.append(',');
                line.append(field(select.columnName(column)));
            }
            boolean hasRow = select.step();
            send(out, line);
            while (hasRow) {
                for (int column = 0; column < count; column++) {
                    if (column > 0) line.append(',');
                    line.append(cell(select.valueAt(column)));
                }
                send(out, line);
                hasRow = select.step();
            }
        }
        out.flush();
    }

    /// Writes a JSON array of objects: int64 in full, blobs in base64, ±Infinity as text.
    void json(OutputStream target) throws IOException {
        OutputStream out = new BufferedOutputStream(target, BUFFER_BYTES);
        try (SqliteStatement select = select();
                JsonGenerator json = Json.MAPPER.createGenerator(out)) {
            json.writeStartArray();
            while (select.step()) {
                json.writeStartObject();
                for (int column = 0; column < select.columnCount(); column++) {
                    json.writeName(select.columnName(column));
                    switch (select.valueAt(column)) {
                        case Value.Null _ -> json.writeNull();
                        case Value.Int(long number) -> json.writeNumber(number);
                        case Value.Real(double number) -> {
                            if (Double.isInfinite(number)) json.writeString(number > 0 ? "Infinity" : "-Infinity");
                            else json.writeNumber(number);
                        }
                        case Value.Text(String text) -> json.writeString(text);
                        case Value.Blob blob -> json.writeBinary(bytes(blob));
                    }
                }
                json.writeEndObject();
            }
            json.writeEndArray();
            json.flush();
        }
        out.flush();
    }

    private SqliteStatement select() {
        return connection.prepare("SELECT * FROM " + SqlNames.quoted(table));
    }

    private static String cell(Value value) {
        return switch (value) {
            case Value.Null _ -> "";
            case Value.Int(long number) -> Long.toString(number);
            case Value.Real(double number) -> Double.toString(number);
            case Value.Text(String text) -> text.isEmpty() ? "\"\"" : field(text);
            case Value.Blob blob ->
                blob.bytes().hasRemaining() ? Base64.getEncoder().encodeToString(bytes(blob)) : "\"\"";
        };
    }

    private static String field(String text) {
        return NEEDS_QUOTES.matcher(text).find() ? '"' + text.replace("\"", "\"\"") + '"' : text;
    }

    private static byte[] bytes(Value.Blob blob) {
        ByteBuffer view = blob.bytes();
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        return bytes;
    }

    private static void send(OutputStream out, StringBuilder line) throws IOException {
        out.write(line.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
        line.setLength(0);
    }
}
