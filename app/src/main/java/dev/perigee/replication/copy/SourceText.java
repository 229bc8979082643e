package dev.perigee.replication.copy;

import dev.perigee.batch.Batch;
import dev.perigee.plugin.Json;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Writes a row that could not be stored as JSON, with each value as text. The size is bounded: of a long value only
/// the beginning is kept. Once a row's texts reach a limit, its remaining values are left out.
public final class SourceText {
    /// Once a row's texts have this many characters together, further values are left out.
    static final int MAX_ROW_CHARS = 64 << 10;

    private final SourceTable table;
    private final CopyDefinition definition;
    private final boolean isEpoch;

    public SourceText(SourceTable table, CopyDefinition definition, boolean isEpoch) {
        this.table = table;
        this.definition = definition;
        this.isEpoch = isEpoch;
    }

    /// The key as a JSON array of texts that the source can read; empty for a table without a key, and where a value is
    /// NULL or has no such text.
    public Optional<String> key(List<Value> values) {
        List<String> names = definition.key();
        if (names.isEmpty() || values.size() != names.size()) return Optional.empty();
        List<String> texts = new java.util.ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            Optional<SourceColumn> column = table.column(names.get(i));
            if (column.isEmpty()) return Optional.empty();
            Optional<String> text = KeyText.of(values.get(i), column.get(), isEpoch);
            if (text.isEmpty()) return Optional.empty();
            texts.add(text.get());
        }
        return Optional.of(NameList.toJson(texts));
    }

    public Optional<String> key(Batch batch, int row) {
        List<String> columns = definition.columnNames();
        return key(definition.key().stream()
                .map(name -> batch.value(row, columns.indexOf(name)))
                .toList());
    }

    /// The row as JSON, with the source's own texts.
    public String of(RefusedRow row) {
        Map<String, Optional<RefusedRow.Text>> texts = row.texts();
        return json(texts);
    }

    /// The row as JSON, with the values as the copy would have stored them.
    public String of(Batch batch, int row) {
        Map<String, Optional<RefusedRow.Text>> texts = new LinkedHashMap<>();
        for (int i = 0; i < batch.columns(); i++) {
            texts.put(definition.columns().get(i).name(), text(batch.value(row, i)));
        }
        return json(texts);
    }

    /// A JSON object with the values of the key columns only.
    public String ofKey(List<Value> values) {
        Map<String, Optional<RefusedRow.Text>> texts = new LinkedHashMap<>();
        for (int i = 0; i < values.size(); i++) {
            texts.put(definition.key().get(i), text(values.get(i)));
        }
        return json(texts);
    }

    private static Optional<RefusedRow.Text> text(Value value) {
        return switch (value) {
            case Value.Null _ -> Optional.empty();
            case Value.Int(long number) -> Optional.of(RefusedRow.Text.whole(Long.toString(number)));
            case Value.Real(double number) -> Optional.of(RefusedRow.Text.whole(Double.toString(number)));
            case Value.Text(String text) -> Optional.of(cut(text));
            case Value.Blob(var bytes) -> {
                int length = bytes.remaining();
                byte[] beginning = new byte[Math.min(length, RefusedRow.MAX_TEXT_BYTES / 2)];
                bytes.get(beginning);
                String hex = "\\x" + java.util.HexFormat.of().formatHex(beginning);
                yield Optional.of(new RefusedRow.Text(hex, beginning.length == length ? 0 : length));
            }
        };
    }

    private static RefusedRow.Text cut(String text) {
        if (text.length() <= RefusedRow.MAX_TEXT_BYTES) return RefusedRow.Text.whole(text);
        int end = RefusedRow.MAX_TEXT_BYTES;
        if (Character.isHighSurrogate(text.charAt(end - 1))) end--;
        return new RefusedRow.Text(text.substring(0, end), text.getBytes(StandardCharsets.UTF_8).length);
    }

    private static String json(Map<String, Optional<RefusedRow.Text>> texts) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        long chars = 0;
        for (Map.Entry<String, Optional<RefusedRow.Text>> entry : texts.entrySet()) {
            RefusedRow.Text text = entry.getValue().orElse(null);
            chars += text == null ? 0 : text.text().length();
            if (text == null) json.put(entry.getKey(), null);
            else if (chars > MAX_ROW_CHARS) json.put(entry.getKey(), Map.of("begin", "", "bytes", text.bytes()));
            else if (text.bytes() == 0) json.put(entry.getKey(), text.text());
            else json.put(entry.getKey(), Map.of("begin", text.text(), "bytes", text.bytes()));
        }
        return Json.MAPPER.writeValueAsString(json);
    }
}
