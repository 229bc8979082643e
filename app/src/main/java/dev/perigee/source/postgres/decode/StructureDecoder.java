package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import dev.perigee.source.StructureText;
import java.nio.charset.StandardCharsets;

/// Reads the text form of a structure and stores it as JSON.
public record StructureDecoder(JsonForm form) implements Decoder, StructureText {
    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        byte[] json = JsonText.of(form, bytes, offset, length);
        batch.putText(json, 0, json.length);
    }

    @Override
    public String json(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return new String(JsonText.of(form, bytes, 0, bytes.length), StandardCharsets.UTF_8);
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        return PlainDecoder.TEXT.text(bytes, offset, length);
    }
}
