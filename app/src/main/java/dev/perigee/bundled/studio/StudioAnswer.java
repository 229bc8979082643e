package dev.perigee.bundled.studio;

import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Collects answers as the page shows them: the first rows, each value with its type, because a browser's numbers are
/// doubles.
///
/// A cell is null, a text, `{"i": "…"}` for an integer, `{"r": "…"}` for a real,
/// `{"b": "<hex of its beginning>", "n": bytes}` for a blob, or `{"t": "<its beginning>", "n": characters}` for a long
/// text.
final class StudioAnswer implements AnswerSink {
    /// Maximum number of rows of one answer; the page asks for more by LIMIT and OFFSET.
    static final int MAX_ROWS = 1000;

    private static final int MAX_TEXT_CHARS = 5000;
    private static final int MAX_BLOB_BYTES = 256;

    /// Maximum memory of all answers of one request together, however many statements or long texts it has. Rows past
    /// it are not shown.
    private static final long MAX_BYTES = 16L << 20;

    /// What a cell takes in addition to its text, roughly.
    private static final int CELL_BYTES = 150;

    private final List<Map<String, Object>> answers = new ArrayList<>();
    private List<String> columns = List.of();
    private List<List<@Nullable Object>> rows = new ArrayList<>();
    private boolean hasMore;
    private long bytes;

    @Override
    public void columns(List<String> names) {
        columns = names;
    }

    @Override
    public boolean row(List<Value> cells) {
        if (rows.size() == MAX_ROWS || bytes > MAX_BYTES) {
            hasMore = true;
            return false;
        }
        List<@Nullable Object> row = new ArrayList<>(cells.size());
        for (Value cell : cells) {
            Object shown = cell(cell);
            bytes += CELL_BYTES;
            row.add(shown);
        }
        rows.add(row);
        return true;
    }

    @Override
    public void end(Meta meta) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("columns", columns);
        answer.put("rows", rows);
        answer.put("more", hasMore);
        answer.put("written", meta.rowsWritten());
        answers.add(answer);
        columns = List.of();
        rows = new ArrayList<>();
        hasMore = false;
    }

    List<Map<String, Object>> answers() {
        return answers;
    }

    private @Nullable Object cell(Value value) {
        return switch (value) {
            case Value.Null _ -> null;
            case Value.Int(long number) -> Map.of("i", Long.toString(number));
            case Value.Real(double number) -> Map.of("r", Double.toString(number));
            case Value.Text(String text) -> text(text);
            case Value.Blob blob -> {
                ByteBuffer view = blob.bytes();
                byte[] begin = new byte[Math.min(view.remaining(), MAX_BLOB_BYTES)];
                int length = view.remaining();
                view.get(begin);
                bytes += 2L * begin.length;
                yield Map.of("b", HexFormat.of().formatHex(begin), "n", length);
            }
        };
    }

    private Object text(String text) {
        boolean isLong = text.length() > MAX_TEXT_CHARS;
        // Half of a surrogate pair is not valid text, and could not be sent.
        int end = isLong && Character.isHighSurrogate(text.charAt(MAX_TEXT_CHARS - 1))
                ? MAX_TEXT_CHARS - 1
                : MAX_TEXT_CHARS;
        String shown = isLong ? text.substring(0, end) : text;
        bytes += 2L * shown.length();
        return isLong ? Map.of("t", shown, "n", text.length()) : shown;
    }
}
