package dev.perigee.bundled.cdc;

import dev.perigee.plugin.JsonRow;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteFunction.Trait;
import dev.perigee.sqlite.Value;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// The SQL functions that the triggers call. They make a row's JSON as answers show it, and remember the rows that a
/// new row may replace. Belongs to the writer's thread.
final class RowImages {
    /// Longest JSON of a row, in characters. Of a longer row only the key is recorded.
    static final int MAX_ROW_BYTES = 1 << 20;

    /// Maximum number of rows that one new row can replace: one for each unique index.
    private static final int MAX_REPLACED = 1000;

    /// Maximum number of rows being written at once, each by a trigger of the row before. SQLite nests triggers no
    /// deeper.
    private static final int MAX_WRITING = 1000;

    /// A row that is about to be written.
    ///
    /// @param keys its values in the columns of unique indexes
    /// @param inTheWay the existing rows that conflict with it, as JSON
    private record Writing(long table, List<Value> keys, List<String> inTheWay) {}

    private final List<List<String>> shapes = new ArrayList<>();

    /// The rows being written, innermost last. A row that `OR IGNORE` skipped stays until the row around it is written.
    private final ArrayDeque<Writing> writing = new ArrayDeque<>();

    private final List<String> tables = new ArrayList<>();
    private long rowsWritten;
    private long bytes;

    /// Rows the triggers have recorded so far.
    long rowsWritten() {
        return rowsWritten;
    }

    /// Characters of rows' JSON made so far.
    long bytes() {
        return bytes;
    }

    void count() {
        rowsWritten++;
    }

    /// The number by which triggers refer to this list of columns.
    int shape(List<String> columns) {
        int known = shapes.indexOf(columns);
        if (known >= 0) return known;
        shapes.add(List.copyOf(columns));
        return shapes.size() - 1;
    }

    /// The number by which triggers refer to this table.
    int table(String name) {
        int known = tables.indexOf(name);
        if (known >= 0) return known;
        tables.add(name);
        return tables.size() - 1;
    }

    void register(SqliteConnection connection) {
        EnumSet<Trait> traits = EnumSet.of(Trait.INNOCUOUS);
        connection.function("perigee_change_members", -1, traits, this::members);
        connection.function("perigee_change_image", 1, traits, arguments -> image(arguments.getFirst()));
        connection.function("perigee_change_action", 1, traits, arguments -> {
            rowsWritten++;
            return arguments.getFirst();
        });
        connection.function("perigee_change_before", -1, traits, arguments -> {
            if (writing.size() == MAX_WRITING) writing.removeFirst();
            writing.addLast(new Writing(number(arguments.getFirst()), keys(arguments), new ArrayList<>()));
            return Value.Null.NULL;
        });
        connection.function("perigee_change_note", 1, traits, arguments -> {
            List<String> rows = writing.getLast().inTheWay;
            if (arguments.getFirst() instanceof Value.Text(String row)
                    && rows.size() < MAX_REPLACED
                    && !rows.contains(row)) {
                rows.add(row);
            }
            return Value.Null.NULL;
        });
        connection.function("perigee_change_replaced", -1, traits, arguments -> {
            List<String> rows = written(number(arguments.getFirst()), keys(arguments));
            rowsWritten += rows.size();
            return new Value.Text("[" + String.join(",", rows) + "]");
        });
    }

    private static List<Value> keys(List<Value> arguments) {
        return List.copyOf(arguments.subList(1, arguments.size()));
    }

    /// Called once a row has been written. Forgets that row and all rows its triggers began.
    ///
    /// @return the rows it replaced, as JSON
    private List<String> written(long table, List<Value> keys) {
        @Nullable Writing found = last(table, each -> each.keys.equals(keys));
        if (found == null) found = last(table, _ -> true);
        if (found == null) return List.of();
        while (writing.removeLast() != found) {}
        return found.inTheWay;
    }

    private @Nullable Writing last(long table, Predicate<Writing> wanted) {
        for (Iterator<Writing> each = writing.descendingIterator(); each.hasNext(); ) {
            Writing one = each.next();
            if (one.table == table && wanted.test(one)) return one;
        }
        return null;
    }

    /// Forgets all rows being written, before a commit: all are written.
    void over() {
        writing.clear();
    }

    /// The members of a JSON object, without its braces; NULL if they would be too long.
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
