package dev.perigee.bundled.rest;

import dev.perigee.plugin.JsonRow;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.FreshnessToken;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/// Writes `{"result": {"message": …, "data": …}}` as the rows that a write returns arrive.
final class RestWritten implements AnswerSink {
    /// What `data` holds.
    enum Shape {
        NO_DATA,
        ONE_ROW,
        ARRAY
    }

    private final JsonGenerator json;
    private final AnswerEvents events;
    private final String message;
    private final Shape shape;
    private @Nullable JsonRow row;
    private long rowCount;

    RestWritten(OutputStream out, AnswerEvents events, String message, Shape shape) {
        this.json = JsonRow.generator(out);
        this.events = events;
        this.message = message;
        this.shape = shape;
    }

    @Override
    public void columns(List<String> names) {
        boolean isFirst = row == null;
        row = new JsonRow(json, names);
        if (!isFirst) return;
        json.writeStartObject();
        json.writeName("result");
        json.writeStartObject();
        json.writeName("message");
        json.writeString(message);
        if (shape == Shape.NO_DATA) return;
        json.writeName("data");
        if (shape == Shape.ARRAY) json.writeStartArray();
    }

    @Override
    public boolean row(List<Value> cells) {
        rowCount++;
        if (row == null) throw new IllegalStateException("a row came before the columns");
        if (shape == Shape.ARRAY || shape == Shape.ONE_ROW && rowCount == 1) row.object(cells);
        return true;
    }

    @Override
    public void end(Meta meta) {}

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

    /// Ends the answer. If no row came, the answer stays unfinished, and the caller answers with an error instead.
    ///
    /// @return whether there was a row
    boolean finish() {
        if (rowCount == 0) return false;
        if (shape == Shape.ARRAY) json.writeEndArray();
        json.writeEndObject();
        json.writeEndObject();
        json.close();
        return true;
    }
}
