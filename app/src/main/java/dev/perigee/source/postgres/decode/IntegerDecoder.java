package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;

/// `int2`, `int4`, `int8`, and `oid`, which has no sign.
public enum IntegerDecoder implements Decoder {
    SIGNED {
        @Override
        long value(byte[] bytes, int offset, int length) {
            return switch (length) {
                case 2 -> BigEndian.int2(bytes, offset);
                case 4 -> BigEndian.int4(bytes, offset);
                case 8 -> BigEndian.int8(bytes, offset);
                default -> throw new IllegalStateException("an integer of %d bytes".formatted(length));
            };
        }
    },
    OID {
        @Override
        long value(byte[] bytes, int offset, int length) {
            return Integer.toUnsignedLong(BigEndian.int4(bytes, offset));
        }
    };

    abstract long value(byte[] bytes, int offset, int length);

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        batch.putInt(value(bytes, offset, length));
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        return Long.toString(value(bytes, offset, length));
    }
}
