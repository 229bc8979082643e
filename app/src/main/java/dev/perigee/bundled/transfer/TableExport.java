package dev.perigee.bundled.transfer;

import de.siegmar.fastcsv.writer.CsvWriter;
import dev.perigee.plugin.Csv;
import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.io.BufferedOutputStream;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// Writes one table's rows, one at a time.
final class TableExport {
    private static final int BUFFER_BYTES = 64 << 10;

    private final SqliteConnection connection;
    private final String table;

    /// @param table as the database spells it
    TableExport(SqliteConnection connection, String table) {
        this.connection = connection;
        this.table = table;
    }

    /// Writes CSV: a record of names, then a record for each row. NULL is an empty field, an empty text and an empty
    /// blob `""`; blobs are base64.
    void csv(OutputStream target) throws IOException {
        Writer text = new BufferedWriter(new OutputStreamWriter(target, StandardCharsets.UTF_8), BUFFER_BYTES);
        CsvWriter out = Csv.writer(text);
        try (SqliteStatement select = select()) {
            int count = select.columnCount();
            String[] names = new String[count];
            for (int column = 0; column < count; column++) names[column] = select.columnName(column);
            out.writeRecord(names);
            @Nullable String[] cells = new String[count];
            while (select.step()) {
                for (int column = 0; column < count; column++) cells[column] = cell(select.valueAt(column));
                out.writeRecord(cells);
            }
            text.flush();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
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

    private static @Nullable String cell(Value value) {
        return switch (value) {
            case Value.Null _ -> null;
            case Value.Int(long number) -> Long.toString(number);
            case Value.Real(double number) -> Double.toString(number);
            case Value.Text(String text) -> text;
            case Value.Blob blob -> Base64.getEncoder().encodeToString(bytes(blob));
        };
    }

    private static byte[] bytes(Value.Blob blob) {
        ByteBuffer view = blob.bytes();
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        return bytes;
    }
}
