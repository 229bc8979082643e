package dev.perigee.source;

import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.Value;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A row that was read but cannot be put into a batch.
///
/// @param key the key's values as the copy would store them; empty where one of them cannot be read or is NULL
/// @param texts each column's value in the source's own text form, in the order of the columns; empty for NULL
/// @param reason why the row was refused, without values
public record RefusedRow(List<Value> key, Map<String, Optional<Text>> texts, PerigeeException reason) {
    /// The most bytes that are kept of a value.
    public static final int MAX_TEXT_BYTES = 16 << 10;

    /// @param text the value, or its beginning
    /// @param bytes the length of the whole value where `text` is only its beginning, else 0
    public record Text(String text, long bytes) {
        public static Text whole(String text) {
            return new Text(text, 0);
        }
    }

    public RefusedRow {
        key = List.copyOf(key);
        texts = new LinkedHashMap<>(texts); // in the columns' order
    }
}
