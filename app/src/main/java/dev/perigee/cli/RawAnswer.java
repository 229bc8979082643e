package dev.perigee.cli;

import dev.perigee.sqlite.Value;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

/// Reads `{"result": {"columns": […], "rows": [[…]], "meta": {…}}}` of `POST /query/raw` row by row, so that an answer
/// of any size needs little memory.
final class RawAnswer {
    private static final JsonFactory FACTORY = new JsonFactory();

    private final JsonParser parser;
    private final RowPrinter printer;

    private RawAnswer(JsonParser parser, RowPrinter printer) {
        this.parser = parser;
        this.printer = printer;
    }

    /// Reads the answer and sends its rows to `printer`.
    ///
    /// @throws tools.jackson.core.JacksonException if the answer breaks off or is something else
    static void print(InputStream in, RowPrinter printer) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), in)) {
            new RawAnswer(parser, printer).read();
        }
    }

    private void read() {
        expect(JsonToken.START_OBJECT);
        member("result");
        expect(JsonToken.START_OBJECT);
        member("columns");
        expect(JsonToken.START_ARRAY);
        List<String> columns = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) columns.add(String.valueOf(parser.getString()));
        printer.columns(columns);
        member("rows");
        expect(JsonToken.START_ARRAY);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            List<Value> cells = new ArrayList<>(columns.size());
            while (parser.nextToken() != JsonToken.END_ARRAY) cells.add(cell());
            printer.row(cells);
        }
        member("meta");
        expect(JsonToken.START_OBJECT);
        parser.skipChildren();
        expect(JsonToken.END_OBJECT);
        expect(JsonToken.END_OBJECT);
        printer.end();
    }

    private Value cell() {
        return switch (parser.currentToken()) {
            case VALUE_NULL -> Value.Null.NULL;
            case VALUE_NUMBER_INT -> new Value.Int(parser.getLongValue());
            case VALUE_NUMBER_FLOAT -> new Value.Real(parser.getDoubleValue());
            case VALUE_STRING -> new Value.Text(String.valueOf(parser.getString()));
            case null, default -> throw unexpected("a value");
        };
    }

    private void member(String name) {
        if (parser.nextToken() != JsonToken.PROPERTY_NAME || !name.equals(parser.currentName())) throw unexpected(name);
    }

    private void expect(JsonToken token) {
        if (parser.nextToken() != token) throw unexpected(token.name());
    }

    private StreamReadException unexpected(String expected) {
        return new StreamReadException(parser, "expected " + expected);
    }
}
