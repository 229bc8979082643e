package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.PlainDecoder;

/// Bytes in hexadecimal digits: `bytea` with a leading `\x`, and the types of PostGIS without. Keeps the memory of the
/// largest value up to [#KEPT_BYTES].
final class HexText implements Decoder {
    private static final int KEPT_BYTES = 1 << 20;

    private byte[] kept = {};

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        int from = length >= 2 && bytes[offset] == '\\' ? 2 : 0;
        int count = (length - from) / 2;
        byte[] decoded = count <= kept.length ? kept : new byte[count];
        for (int i = 0; i < count; i++) {
            int at = offset + from + 2 * i;
            decoded[i] = (byte) (Character.digit(bytes[at], 16) << 4 | Character.digit(bytes[at + 1], 16));
        }
        batch.putBlob(decoded, 0, count);
        if (count <= KEPT_BYTES) kept = decoded;
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        return PlainDecoder.TEXT.text(bytes, offset, length);
    }
}
