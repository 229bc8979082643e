package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// Texts of a database that does not know its encoding (`SQL_ASCII`) and takes any bytes for text. A text that is not
/// UTF-8 is refused here, with its row: the server would refuse the whole statement.
public record CheckedText(Decoder decoder) implements Decoder {
    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        check(bytes, offset, length);
        decoder.decode(bytes, offset, length, batch);
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        check(bytes, offset, length);
        return decoder.text(bytes, offset, length);
    }

    private static void check(byte[] bytes, int offset, int length) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, offset, length));
        } catch (CharacterCodingException e) {
            throw new NotUtf8(e);
        }
    }

    /// The name of this class is in the message of the row's fault.
    private static final class NotUtf8 extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        NotUtf8(CharacterCodingException cause) {
            super(cause);
        }
    }
}
