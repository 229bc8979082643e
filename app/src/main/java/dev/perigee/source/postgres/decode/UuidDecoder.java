package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import java.nio.charset.StandardCharsets;

/// `uuid` in lower case with hyphens.
public final class UuidDecoder implements Decoder {
    private static final byte[] DIGITS = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final int LENGTH = 36;

    private final byte[] text = new byte[LENGTH];

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        format(bytes, offset);
        batch.putText(text, 0, LENGTH);
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        format(bytes, offset);
        return new String(text, StandardCharsets.US_ASCII);
    }

    private void format(byte[] bytes, int offset) {
        int at = 0;
        for (int i = 0; i < 16; i++) {
            if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
            text[at++] = DIGITS[bytes[offset + i] >> 4 & 15];
            text[at++] = DIGITS[bytes[offset + i] & 15];
        }
    }
}
