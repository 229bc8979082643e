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

/// Writes answers as StarbaseDB's clients read them: rows as objects, or columns and rows apart with counts.
///
/// Integers in full, blobs in base64, ±Infinity as text, since JSON has no such number. Where columns of one row share
/// a name, the object has the last one's value; raw rows have all.
public final class JsonAnswer implements AnswerSink {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            // Nothing is completed or sent that was not written on purpose: a broken answer has to look broken.
            .disable(StreamWriteFeature.AUTO_CLOSE_CONTENT)
            .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
            .disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
            .build();

    private final Runnable committed;
    private final JsonGenerator json;
    private final boolean isRaw;
    private final boolean isTransaction;
    private boolean hasBegun;
    private SerializedString[] names = {};
    private boolean[] isShown = {};

    /// @param committed called when what follows holds none of the store's readers
    /// @param isRaw columns and rows apart, with counts; else rows as objects
    /// @param isTransaction an array of answers; else one
    public JsonAnswer(OutputStream out, Runnable committed, boolean isRaw, boolean isTransaction) {
        this.committed = committed;
        this.json = FACTORY.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8);
        this.isRaw = isRaw;
        this.isTransaction = isTransaction;
    }

    @Override
    public void columns(List<String> columns) {
        begin();
        names = columns.stream().map(SerializedString::new).toArray(SerializedString[]::new);
        isShown = lastOfEachName(columns);
        if (isRaw) {
            json.writeStartObject();
            json.writeName("columns");
            json.writeStartArray();
            for (String column : columns) json.writeString(column);
            json.writeEndArray();
            json.writeName("rows");
        }
        json.writeStartArray();
    }

    @Override
    public boolean row(List<Value> cells) {
        if (isRaw) {
            json.writeStartArray();
            for (int i = 0; i < cells.size(); i++) cell(cells.get(i));
            json.writeEndArray();
        } else {
            json.writeStartObject();
            for (int i = 0; i < cells.size(); i++) {
                if (!isShown[i]) continue;
                json.writeName(names[i]);
                cell(cells.get(i));
            }
            json.writeEndObject();
        }
        return true;
    }

    @Override
    public void end(Meta meta) {
        json.writeEndArray();
        if (!isRaw) return;
        json.writeName("meta");
        json.writeStartObject();
        json.writeName("rows_read");
        json.writeNumber(meta.rowsRead());
        json.writeName("rows_written");
        json.writeNumber(meta.rowsWritten());
        json.writeEndObject();
        json.writeEndObject();
    }

    @Override
    public void committed() {
        committed.run();
    }

    /// Ends the envelope.
    public void finish() {
        if (isTransaction) json.writeEndArray();
        json.writeEndObject();
        json.close();
    }

    private void begin() {
        if (hasBegun) return;
        hasBegun = true;
        json.writeStartObject();
        json.writeName("result");
        if (isTransaction) json.writeStartArray();
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
