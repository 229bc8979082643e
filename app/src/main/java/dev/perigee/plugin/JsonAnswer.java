package dev.perigee.plugin;

import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.FreshnessToken;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// Writes answers as StarbaseDB's clients expect them: rows as objects, or columns and rows separately with counts.
/// Values are written as in [JsonRow].
public final class JsonAnswer implements AnswerSink {
    private final AnswerEvents events;
    private final JsonGenerator json;
    private final boolean isRaw;
    private final boolean isTransaction;
    private boolean hasBegun;
    private @Nullable JsonRow row;

    /// @param events is told what becomes known about the answer besides its rows
    /// @param isRaw true for columns and rows separately, with counts; false for rows as objects
    /// @param isTransaction true for an array of answers; false for a single one
    public JsonAnswer(OutputStream out, AnswerEvents events, boolean isRaw, boolean isTransaction) {
        this.events = events;
        this.json = JsonRow.generator(out);
        this.isRaw = isRaw;
        this.isTransaction = isTransaction;
    }

    @Override
    public void columns(List<String> columns) {
        begin();
        row = new JsonRow(json, columns);
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
        if (row == null) throw new IllegalStateException("a row came before the columns");
        if (isRaw) row.array(cells);
        else row.object(cells);
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
        events.committed();
    }

    @Override
    public void fresh(AnswerFreshness freshness) {
        events.fresh(freshness);
    }

    @Override
    public void wrote(FreshnessToken token) {
        events.wrote(token);
    }

    /// Completes the JSON. Without this call the answer is visibly incomplete.
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
}
