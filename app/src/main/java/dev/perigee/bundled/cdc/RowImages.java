package dev.perigee.bundled.cdc;

import dev.perigee.plugin.JsonRow;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteFunction.Trait;
import dev.perigee.sqlite.Value;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/// The functions that the triggers call: rows as JSON, as an answer shows them, and the rows a new one may
/// replace. For
/// the writer's thread.
final class RowImages {
    /// Longest JSON of a row; of a longer one only the key is recorded.
    static final int MAX_ROW_BYTES = 1 << 20;

    /// Rows that one new row may be in the way of: one for each unique index.
    private static final int MAX_REPLACED = 1000;

    private final List<List<String>> shapes = new ArrayList<>();
    private final Map<Long, List<String>> noted = new HashMap<>();
    private long rowsWritten;
    private long bytes;

    /// Rows the triggers have recorded so far.
    long rowsWritten() {
        return rowsWritten;
    }

    /// JSON of rows made so far.
    long bytes() {
        return bytes;
    }

    void count() {
        rowsWritten++;
    }

    /// A number for these columns, which the triggers call them by.
    int shape(List<String> columns) {
        int known = shapes.indexOf(columns);
        if (known >= 0) return known;
        shapes.add(List.copyOf(columns));
        return shapes.size() - 1;
    }

    void register(SqliteConnection connection) {
        EnumSet<Trait> traits = EnumSet.of(Trait.INNOCUOUS);
        connection.function("perigee_change_members", -1, traits, this::members);
        connection.function("perigee_change_image", 1, traits, arguments -> image(arguments.getFirst()));
        connection.function("perigee_change_action", 1, traits, arguments -> {
            rowsWritten++;
            return arguments.getFirst();
        });
        connection.function("perigee_change_forget", 1, traits, arguments -> {
            noted.remove(number(arguments.getFirst()));
            return Value.Null.NULL;
        });
        connection.function("perigee_change_note", 2, traits, arguments -> {
            List<String> rows = noted.computeIfAbsent(number(arguments.getFirst()), _ -> new ArrayList<>());
            if (arguments.get(1) instanceof Value.Text(String row)
                    && rows.size() < MAX_REPLACED
                    && !rows.contains(row)) {
                rows.add(row);
            }
            return Value.Null.NULL;
        });
        connection.function("perigee_change_replaced", 1, traits, arguments -> {
            List<String> rows = noted.remove(number(arguments.getFirst()));
            if (rows == null) return new Value.Text("[]");
            rowsWritten += rows.size();
            return new Value.Text("[" + String.join(",", rows) + "]");
        });
    }

    /// The members of a JSON object without its braces; NULL where they would be too long.
    private Value members(List<Value> arguments) {
        List<String> columns = shapes.get((int) number(arguments.get(0)));
        int from = (int) number(arguments.get(1));
        List<Value> cells = arguments.subList(2, arguments.size());
        long size = 0;
        for (Value cell : cells) {
            size += switch (cell) {
                case Value.Text(String text) -> text.length();
                case Value.Blob blob -> blob.bytes().remaining() * 4L / 3;
                default -> 20;
            };
        }
        if (size > MAX_ROW_BYTES) return Value.Null.NULL;
        ByteArrayOutputStream out = new ByteArrayOutputStream(256);
        try (JsonGenerator json = JsonRow.generator(out)) {
            new JsonRow(json, columns.subList(from, from + cells.size())).object(cells);
        }
        String object = out.toString(StandardCharsets.UTF_8);
        return new Value.Text(object.substring(1, object.length() - 1));
    }

    private Value image(Value members) {
        if (!(members instanceof Value.Text(String text)) || text.length() > MAX_ROW_BYTES) return Value.Null.NULL;
        bytes += text.length();
        return new Value.Text("{" + text + "}");
    }

    private static long number(Value value) {
        if (value instanceof Value.Int(long number)) return number;
        throw new IllegalArgumentException("expected a number");
    }
}
