package dev.perigee.query.external;

import dev.perigee.plugin.Json;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// A whole answer as JSON that keeps the storage class of each value: `[columns, row, row, …]`. An integer is a number,
/// a text is a string, a real is `{"real": "1.5"}` and a blob is `{"blob": "base64"}`.
record CachedAnswer(String json) {
    /// Passes the columns and the rows to `sink`, until it wants no more.
    ///
    /// @return the number of rows that were passed
    long replay(RowSink sink) {
        long rows = 0;
        try (JsonParser parser = Json.MAPPER.createParser(json)) {
            parser.nextToken();
            parser.nextToken();
            List<String> columns = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) columns.add(parser.getString());
            sink.columns(columns);
            while (parser.nextToken() == JsonToken.START_ARRAY) {
                List<Value> cells = new ArrayList<>(columns.size());
                for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
                    cells.add(value(parser, token));
                }
                rows++;
                if (!sink.row(cells)) break;
            }
        }
        return rows;
    }

    private static Value value(JsonParser parser, JsonToken token) {
        return switch (token) {
            case VALUE_NULL -> Value.Null.NULL;
            case VALUE_NUMBER_INT -> new Value.Int(parser.getLongValue());
            case VALUE_STRING -> new Value.Text(parser.getString());
            default -> {
                parser.nextToken();
                boolean isReal = parser.currentName().equals("real");
                parser.nextToken();
                String text = parser.getString();
                parser.nextToken();
                yield isReal
                        ? new Value.Real(Double.parseDouble(text))
                        : new Value.Blob(ByteBuffer.wrap(Base64.getDecoder().decode(text)));
            }
        };
    }

    /// Collects the rows of an answer, as long as they are few enough.
    static final class Builder implements RowSink {
        /// The most characters that the JSON generator holds back in a buffer of its own.
        private static final int BUFFER_CHARS = 8000;

        private final MemoryBudget.Reservation memory;
        private final int maxChars;
        private final StringWriter text = new StringWriter();
        private final JsonGenerator generator = Json.MAPPER.createGenerator(text);
        private int reserved;
        private boolean isTooLarge;

        Builder(MemoryBudget.Reservation memory, int maxChars) {
            this.memory = memory;
            this.maxChars = maxChars;
        }

        @Override
        public void columns(List<String> names) {
            generator.writeStartArray();
            generator.writeStartArray();
            names.forEach(generator::writeString);
            generator.writeEndArray();
        }

        /// @return false for the first row that makes the answer too large
        @Override
        public boolean row(List<Value> cells) {
            generator.writeStartArray();
            cells.forEach(this::write);
            generator.writeEndArray();
            int length = text.getBuffer().length() + BUFFER_CHARS;
            if (length > reserved) {
                // Two bytes per character, in the buffer and again in the final string.
                memory.grow(4L * (length - reserved));
                reserved = length;
            }
            isTooLarge = length > maxChars;
            return !isTooLarge;
        }

        /// Whether [#row] refused a row.
        boolean isTooLarge() {
            return isTooLarge;
        }

        CachedAnswer answer() {
            generator.writeEndArray();
            generator.close();
            return new CachedAnswer(text.toString());
        }

        private void write(Value value) {
            switch (value) {
                case Value.Null _ -> generator.writeNull();
                case Value.Int(long number) -> generator.writeNumber(number);
                case Value.Real(double number) -> named("real", Double.toString(number));
                case Value.Text(String string) -> generator.writeString(string);
                case Value.Blob blob -> {
                    ByteBuffer view = blob.bytes();
                    byte[] bytes = new byte[view.remaining()];
                    view.get(bytes);
                    named("blob", Base64.getEncoder().encodeToString(bytes));
                }
            }
        }

        private void named(String kind, String string) {
            generator.writeStartObject();
            generator.writeStringProperty(kind, string);
            generator.writeEndObject();
        }
    }
}
