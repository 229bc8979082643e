package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import java.math.BigDecimal;
import java.math.MathContext;

/// `float4`, stored by its shortest decimal form, so that 0.1 is stored as 0.1; and `float8`. NaN becomes the text
/// `NaN`, because SQLite would store it as NULL.
public enum FloatDecoder implements Decoder {
    FLOAT4 {
        @Override
        double value(byte[] bytes, int offset) {
            float value = Float.intBitsToFloat(BigEndian.int4(bytes, offset));
            // A whole number this small is the same in both types. Only other numbers need the detour through decimals.
            if (value == (int) value && Math.abs(value) < 1 << 24) return value;
            boolean isDenormal = Math.abs(value) < Float.MIN_NORMAL;
            if (isDenormal) return shortest(value);
            return Double.parseDouble(Float.toString(value));
        }

        /// Java writes at least two digits, but some denormal numbers need only one: 1.4E-45 is 1e-45.
        private static double shortest(float value) {
            BigDecimal oneDigit = new BigDecimal(value).round(new MathContext(1));
            boolean isSame = oneDigit.floatValue() == value;
            return isSame ? oneDigit.doubleValue() : Double.parseDouble(Float.toString(value));
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return Float.toString(Float.intBitsToFloat(BigEndian.int4(bytes, offset)));
        }
    },
    FLOAT8 {
        @Override
        double value(byte[] bytes, int offset) {
            return Double.longBitsToDouble(BigEndian.int8(bytes, offset));
        }

        @Override
        public String text(byte[] bytes, int offset, int length) {
            return Double.toString(value(bytes, offset));
        }
    };

    abstract double value(byte[] bytes, int offset);

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        double value = value(bytes, offset);
        if (Double.isNaN(value)) batch.putText("NaN");
        else batch.putReal(value);
    }
}
