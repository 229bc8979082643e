package dev.perigee.bundled.rest;

import dev.perigee.plugin.AnswerSink;
import dev.perigee.sqlite.Value;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The rows that a write returned, few and small: the engine bounds what an answer of a write may hold.
final class RestRows implements AnswerSink {
    private final List<Map<String, @Nullable Object>> rows = new ArrayList<>();
    private List<String> names = List.of();

    List<Map<String, @Nullable Object>> rows() {
        return rows;
    }

    @Override
    public void columns(List<String> columns) {
        names = columns;
    }

    @Override
    public boolean row(List<Value> cells) {
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        for (int i = 0; i < cells.size(); i++) row.put(names.get(i), json(cells.get(i)));
        rows.add(row);
        return true;
    }

    @Override
    public void end(Meta meta) {}

    private static @Nullable Object json(Value value) {
        return switch (value) {
            case Value.Null _ -> null;
            case Value.Int(long number) -> number;
            case Value.Real(double number) ->
                Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : (Object) number;
            case Value.Text(String text) -> text;
            case Value.Blob blob -> {
                ByteBuffer view = blob.bytes();
                byte[] bytes = new byte[view.remaining()];
                view.get(bytes);
                yield bytes; // In base64.
            }
        };
    }
}
