package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.QueryBody;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// Reads the rows of a JSON file, `{"data": [{…}, …], "columnMapping": {…}}` or the array alone, one after another.
final class JsonRows {
    static final String EXPECTED =
            "Invalid JSON format. Expected an object with \"data\" array and optional \"columnMapping\".";

    /// Longest array or object that becomes a text, in characters of JSON.
    private static final int MAX_NESTED_CHARS = 16 << 20;

    private static final int MAX_MAPPED = CsvRecords.MAX_FIELDS;

    private final Path file;

    JsonRows(Path file) {
        this.file = file;
    }

    /// What the file has in addition to its rows. It is read before the rows, wherever it is in the file.
    ///
    /// @param csv the CSV, if `data` is a string
    record Head(Map<String, String> mapping, Optional<String> csv) {}

    Head head() throws IOException {
        Map<String, String> mapping = new HashMap<>();
        Optional<String> csv = Optional.empty();
        try (InputStream in = Files.newInputStream(file);
                JsonParser parser = Json.MAPPER.createParser(in)) {
            JsonToken first = parser.nextToken();
            if (first == JsonToken.START_ARRAY) return new Head(mapping, csv);
            if (first != JsonToken.START_OBJECT) throw Fault.INVALID_REQUEST.saying(EXPECTED);
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                if (name.equals("columnMapping")) mapping(parser, value, mapping);
                else if (name.equals("data") && value == JsonToken.VALUE_STRING) csv = Optional.of(parser.getString());
                else parser.skipChildren();
            }
            return new Head(mapping, csv);
        } catch (JacksonException e) {
            throw QueryBody.notJson(e);
        }
    }

    static Map<String, String> mapping(String json) {
        Map<String, String> mapping = new HashMap<>();
        try (JsonParser parser = Json.MAPPER.createParser(json)) {
            mapping(parser, parser.nextToken(), mapping);
            return mapping;
        } catch (JacksonException _) {
            throw notMapping();
        }
    }

    private static void mapping(JsonParser parser, JsonToken value, Map<String, String> mapping) {
        if (value == JsonToken.VALUE_NULL) return;
        if (value != JsonToken.START_OBJECT) throw notMapping();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String from = parser.currentName();
            if (parser.nextToken() != JsonToken.VALUE_STRING) throw notMapping();
            mapping.put(from, parser.getString());
            if (mapping.size() > MAX_MAPPED) throw notMapping();
        }
    }

    private static PerigeeException notMapping() {
        return Fault.INVALID_REQUEST.saying(
                "\"columnMapping\" must be an object that maps names in the text to names of columns.");
    }

    /// Gives each row to `rows`.
    void read(RowImport rows, ImportProgress progress) throws IOException {
        try (InputStream in = progress.open(file);
                JsonParser parser = Json.MAPPER.createParser(in)) {
            boolean isFound = parser.nextToken() == JsonToken.START_ARRAY;
            while (!isFound && parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                isFound = name.equals("data") && value == JsonToken.START_ARRAY;
                if (!isFound) parser.skipChildren();
            }
            if (!isFound) throw Fault.INVALID_REQUEST.saying(EXPECTED);
            while (parser.nextToken() != JsonToken.END_ARRAY) row(parser, rows);
        } catch (JacksonException e) {
            throw QueryBody.notJson(e);
        }
    }

    /// An array or an object as text, copied one token at a time because it may be of any size.
    private static String text(JsonParser parser, long line) {
        StringWriter text = new StringWriter();
        try (JsonGenerator copy = Json.MAPPER.createGenerator(text)) {
            int depth = 0;
            do {
                // A number stays as it is written: a double cannot hold every number.
                if (parser.currentToken().isNumeric()) copy.writeNumber(parser.getString());
                else copy.copyCurrentEvent(parser);
                if (parser.currentToken().isStructStart()) depth++;
                if (parser.currentToken().isStructEnd()) depth--;
                if (text.getBuffer().length() > MAX_NESTED_CHARS) throw tooLarge(line);
            } while (depth > 0 && parser.nextToken() != null);
        }
        return text.toString();
    }

    private static PerigeeException tooLarge(long line) {
        return Fault.TOO_LARGE.saying(
                "The row that begins on line %d is larger than %d bytes, or has more than %d values, or one of them more than %d characters of JSON."
                        .formatted(line, CsvRecords.MAX_CHARS, CsvRecords.MAX_FIELDS, MAX_NESTED_CHARS));
    }

    private static void row(JsonParser parser, RowImport rows) {
        long line = parser.currentTokenLocation().getLineNr();
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            parser.skipChildren();
            rows.wrong("A row must be an object.", line);
            return;
        }
        long begin = parser.currentTokenLocation().getByteOffset();
        List<String> names = new ArrayList<>();
        List<Cell> values = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            names.add(parser.currentName());
            JsonToken token = parser.nextToken();
            switch (token) {
                case VALUE_NULL -> values.add(Cell.Absent.NULL);
                case VALUE_TRUE -> values.add(new Cell.Number("1"));
                case VALUE_FALSE -> values.add(new Cell.Number("0"));
                case VALUE_STRING -> values.add(new Cell.Text(parser.getString()));
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> values.add(new Cell.Number(parser.getString()));
                default -> values.add(new Cell.Text(text(parser, line)));
            }
            if (names.size() > CsvRecords.MAX_FIELDS
                    || parser.currentLocation().getByteOffset() - begin > CsvRecords.MAX_CHARS) {
                throw tooLarge(line);
            }
        }
        rows.row(names, values, line);
    }
}
