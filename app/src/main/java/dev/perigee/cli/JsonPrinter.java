package dev.perigee.cli;

import dev.perigee.plugin.Json;
import dev.perigee.sqlite.Value;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Prints one JSON array with an object for each row, one row per line. Values are as in the server's answers.
final class JsonPrinter implements RowPrinter {
    private final PrintWriter out;
    private List<String> names = new ArrayList<>();
    private long rows;

    JsonPrinter(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void columns(List<String> names) {
        this.names = names;
    }

    @Override
    public void row(List<Value> cells) {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        for (int i = 0; i < cells.size(); i++) object.put(names.get(i), plain(cells.get(i)));
        out.print(rows++ == 0 ? "[" : ",\n ");
        out.print(Json.MAPPER.writeValueAsString(object));
    }

    @Override
    public void end() {
        out.println(rows == 0 ? "[]" : "]");
        out.flush();
    }

    private static @Nullable Object plain(Value value) {
        return switch (value) {
            case Value.Null _ -> null;
            case Value.Int(long number) -> number;
            case Value.Real(double number) ->
                Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : (Object) number;
            case Value.Text(String text) -> text;
            case Value.Blob blob -> {
                byte[] bytes = new byte[blob.bytes().remaining()];
                blob.bytes().get(bytes);
                yield Base64.getEncoder().encodeToString(bytes);
            }
        };
    }
}
