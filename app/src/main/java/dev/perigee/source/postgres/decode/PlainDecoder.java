package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// Values whose bytes are stored as they are, or nearly.
public enum PlainDecoder implements Decoder {
    BOOL {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            batch.putInt(bytes[offset]);
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return bytes[offset] == 0 ? "false" : "true";
        }
    },
    TEXT {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            batch.putText(bytes, offset, length);
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return new String(bytes, offset, length, StandardCharsets.UTF_8);
        }
    },
    /// A version byte precedes the text.
    JSONB {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            if (bytes[offset] != 1) throw new IllegalStateException("jsonb of version " + bytes[offset]);
            batch.putText(bytes, offset + 1, length - 1);
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return TEXT.text(bytes, offset + 1, length - 1);
        }
    },
    BYTEA {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            batch.putBlob(bytes, offset, length);
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return "\\x" + HexFormat.of().formatHex(bytes, offset, offset + length);
        }
    }
}
