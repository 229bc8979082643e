package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.NumericDecoder;
import dev.perigee.source.postgres.decode.PlainDecoder;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;

/// Numbers in PostgreSQL's text form, stored as the decoders of their binary form store them.
enum NumberText implements Decoder {
    INTEGER {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            batch.putInt(integer(bytes, offset, length));
        }
    },
    /// The server writes the shortest decimal that is this number, with `extra_float_digits` above 0.
    FLOAT {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            if (isWord(bytes, offset)) {
                double value = word(bytes, offset, length);
                if (Double.isNaN(value)) batch.putText(bytes, offset, length);
                else batch.putReal(value);
                return;
            }
            long digits = shortDigits(bytes, offset, length);
            if (digits > 0) batch.putReal(quotient(digits, bytes, offset, length));
            else batch.putReal(Double.parseDouble(PlainDecoder.TEXT.text(bytes, offset, length)));
        }
    },
    NUMERIC_EXACT {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            if (isWord(bytes, offset)) {
                batch.putText(bytes, offset, length);
                return;
            }
            long digits = shortDigits(bytes, offset, length);
            if (digits <= 0) {
                batch.put(NumericDecoder.exact(new BigDecimal(PlainDecoder.TEXT.text(bytes, offset, length))));
                return;
            }
            int scale = scale(bytes, offset, length);
            while (scale > 0 && digits % 10 == 0) {
                digits /= 10;
                scale--;
            }
            long signed = bytes[offset] == '-' ? -digits : digits;
            if (scale == 0) batch.putInt(signed);
            else batch.putReal(signed / TENS[scale]);
        }
    },
    NUMERIC_REAL {
        @Override
        public void decode(byte[] bytes, int offset, int length, Batch batch) {
            if (isWord(bytes, offset)) batch.putText(bytes, offset, length);
            else batch.putReal(new BigDecimal(PlainDecoder.TEXT.text(bytes, offset, length)).doubleValue());
        }
    };

    /// The most digits that are read without an object. As many as every double returns unchanged.
    private static final int SHORT_DIGITS = 15;

    /// Powers of ten, which are exact as doubles.
    private static final double[] TENS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15
    };

    /// How the text of a `numeric` is stored.
    static Decoder numeric(NumericStorage storage) {
        return switch (storage) {
            case EXACT -> NUMERIC_EXACT;
            case TEXT -> PlainDecoder.TEXT;
            case REAL -> NUMERIC_REAL;
        };
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        return PlainDecoder.TEXT.text(bytes, offset, length);
    }

    /// Whether it is `NaN`, `Infinity` or `-Infinity`.
    private static boolean isWord(byte[] bytes, int offset) {
        return bytes[offset] == 'N' || bytes[offset] == 'I' || bytes[offset] == '-' && bytes[offset + 1] == 'I';
    }

    private static double word(byte[] bytes, int offset, int length) {
        return Double.parseDouble(new String(bytes, offset, length, StandardCharsets.US_ASCII));
    }

    private static long integer(byte[] bytes, int offset, int length) {
        boolean isNegative = bytes[offset] == '-';
        long value = 0; // kept negative: the least number has no positive counterpart
        for (int i = offset + (isNegative ? 1 : 0); i < offset + length; i++) value = value * 10 - digit(bytes[i]);
        return isNegative ? value : -value;
    }

    private static int digit(byte character) {
        if (character < '0' || character > '9') throw new IllegalStateException("not a digit in a number's text");
        return character - '0';
    }

    /// All digits as one number, without sign and point.
    ///
    /// @return 0 or less where it is zero, has an exponent, or has too many digits for the quick way
    private static long shortDigits(byte[] bytes, int offset, int length) {
        if (length > SHORT_DIGITS) return -1;
        long digits = 0;
        for (int i = offset + (bytes[offset] == '-' ? 1 : 0); i < offset + length; i++) {
            if (bytes[i] == 'e') return -1;
            if (bytes[i] != '.') digits = digits * 10 + digit(bytes[i]);
        }
        return digits;
    }

    /// The number of digits after the point.
    private static int scale(byte[] bytes, int offset, int length) {
        for (int i = 0; i < length; i++) {
            if (bytes[offset + i] == '.') return length - i - 1;
        }
        return 0;
    }

    /// Both parts are exact, so their quotient is the double nearest to the decimal.
    private static double quotient(long digits, byte[] bytes, int offset, int length) {
        return (bytes[offset] == '-' ? -digits : digits) / TENS[scale(bytes, offset, length)];
    }
}
