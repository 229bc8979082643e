package dev.perigee.plugin;

import dev.perigee.sqlite.Value;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.core.Base64Variants;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.io.SerializedString;
import tools.jackson.core.json.JsonFactory;

/// Writes an answer's rows as JSON: integers exactly, blobs in base64, ±Infinity as text because JSON has no such
/// number.
public final class JsonRow {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            // Nothing is completed, closed or flushed automatically, so that a broken answer looks broken to the
            // client.
            .disable(StreamWriteFeature.AUTO_CLOSE_CONTENT)
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
            .build();

    private final JsonGenerator json;
    private final SerializedString[] names;
    private final boolean[] isShown;

    public JsonRow(JsonGenerator json, List<String> columns) {
        this.json = json;
        this.names = columns.stream().map(SerializedString::new).toArray(SerializedString[]::new);
        this.isShown = lastOfEachName(columns);
    }

    /// Makes a generator that writes to `out` and does not close, flush or complete anything by itself.
    public static JsonGenerator generator(OutputStream out) {
        return FACTORY.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8);
    }

    /// Writes a row as an object. If columns share a name, it has the last one's value.
    public void object(List<Value> cells) {
        json.writeStartObject();
        for (int i = 0; i < cells.size(); i++) {
            if (!isShown[i]) continue;
            json.writeName(names[i]);
            cell(cells.get(i));
        }
        json.writeEndObject();
    }

    /// Writes a row as an array of all its values.
    public void array(List<Value> cells) {
        json.writeStartArray();
        for (int i = 0; i < cells.size(); i++) cell(cells.get(i));
        json.writeEndArray();
    }

    private void cell(Value value) {
        switch (value) {
            case Value.Null _ -> json.writeNull();
            case Value.Int(long number) -> json.writeNumber(number);
            case Value.Real(double number) -> {
                if (Double.isInfinite(number)) {
                    json.writeString(number > 0 ? "Infinity" : "-Infinity");
                } else {
                    json.writeNumber(number);
                }
            }
            case Value.Text(String text) -> json.writeString(text);
            case Value.Blob blob -> {
                ByteBuffer view = blob.bytes();
                byte[] bytes = new byte[view.remaining()];
                view.get(bytes);
                json.writeBinary(Base64Variants.MIME_NO_LINEFEEDS, bytes, 0, bytes.length);
            }
        }
    }

    private static boolean[] lastOfEachName(List<String> columns) {
        boolean[] shown = new boolean[columns.size()];
        Set<String> seen = new HashSet<>();
        for (int i = columns.size() - 1; i >= 0; i--) shown[i] = seen.add(columns.get(i));
        return shown;
    }
}
