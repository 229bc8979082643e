package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.PlainDecoder;

/// `char(n)`: text of which the blanks at the end do not count. A pull's cast to text removes them.
enum PaddedText implements Decoder {
    DECODER;

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        batch.putText(bytes, offset, trimmed(bytes, offset, length));
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        return PlainDecoder.TEXT.text(bytes, offset, trimmed(bytes, offset, length));
    }

    private static int trimmed(byte[] bytes, int offset, int length) {
        int left = length;
        while (left > 0 && bytes[offset + left - 1] == ' ') left--;
        return left;
    }
}
