package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.sqlite.Value;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/// `numeric`: a sign, a weight, a display scale, and digits in base 10,000.
///
/// By default a value is stored exactly. It is an integer where it is one of 64 bits. It is a real where it has at most
/// 15 significant digits, which a double returns unchanged. Any other value becomes text with all digits. The other two
/// storages are an admin's choice.
///
/// @see <a href="https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c">numeric_send</a>
public final class NumericDecoder implements Decoder {
    private static final int BASE = 10_000;
    private static final int BASE_DIGITS = 4;
    private static final int HEADER_BYTES = 8;

    private static final int NEGATIVE = 0x4000;
    private static final int NAN = 0xC000;
    private static final int POSITIVE_INFINITY = 0xD000;
    private static final int NEGATIVE_INFINITY = 0xF000;

    /// The number of significant digits that every double returns unchanged.
    private static final int REAL_DIGITS = 15;

    private static final int INT64_DIGITS = 19;

    /// The largest decimal exponent, in size, at which doubles still have all their digits.
    private static final int REAL_EXPONENT = 290;

    /// Powers of ten that are exact as doubles.
    private static final double[] TENS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };

    private static final long REAL_LIMIT = 1_000_000_000_000_000L; // 10 to the power of REAL_DIGITS

    private final NumericStorage storage;

    public NumericDecoder(NumericStorage storage) {
        this.storage = storage;
    }

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        if (storage == NumericStorage.EXACT && putSmall(bytes, offset, batch)) return;
        String special = special(bytes, offset);
        if (special != null) {
            batch.putText(special);
            return;
        }
        BigDecimal value = value(bytes, offset);
        switch (storage) {
            case TEXT -> batch.putText(value.toPlainString());
            case REAL -> batch.putReal(value.doubleValue());
            case EXACT -> batch.put(exact(value));
        }
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        String special = special(bytes, offset);
        return special != null ? special : value(bytes, offset).toPlainString();
    }

    /// The fast way for numbers of up to four groups of digits, as nearly all are.
    ///
    /// @return false where the number needs the slow way; nothing was put then
    private static boolean putSmall(byte[] bytes, int offset, Batch batch) {
        int groups = BigEndian.int2(bytes, offset);
        int sign = sign(bytes, offset);
        if (groups > 4 || (sign != 0 && sign != NEGATIVE)) return false;
        long digits = 0;
        for (int i = 0; i < groups; i++) digits = digits * BASE + group(bytes, offset, i);
        if (digits == 0) {
            batch.putInt(0);
            return true;
        }
        int exponent = BASE_DIGITS * (weight(bytes, offset) - groups + 1);
        while (digits % 10 == 0) {
            digits /= 10;
            exponent++;
        }
        long signed = sign == NEGATIVE ? -digits : digits;
        if (exponent >= 0) {
            for (; exponent > 0; exponent--) {
                long tenfold = signed * 10;
                if (Math.multiplyHigh(signed, 10) != tenfold >> 63) return false;
                signed = tenfold;
            }
            batch.putInt(signed);
            return true;
        }
        if (digits >= REAL_LIMIT || -exponent >= TENS.length) return false;
        // Both are exact, so their quotient is the double nearest to the decimal.
        batch.putReal(signed / TENS[-exponent]);
        return true;
    }

    /// The form in which `value` is stored exactly.
    public static Value exact(BigDecimal value) {
        BigDecimal shortest = value.stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale();
        if (shortest.scale() <= 0 && exponent <= INT64_DIGITS) {
            BigInteger integer = shortest.toBigInteger();
            if (integer.bitLength() < Long.SIZE) return new Value.Int(integer.longValue());
        }
        boolean isReal = shortest.precision() <= REAL_DIGITS && Math.abs(exponent) <= REAL_EXPONENT;
        return isReal ? new Value.Real(shortest.doubleValue()) : new Value.Text(value.toPlainString());
    }

    private static BigDecimal value(byte[] bytes, int offset) {
        int groups = BigEndian.int2(bytes, offset);
        BigInteger digits = BigInteger.ZERO;
        // Four groups at a time are combined in a long first, which saves large products.
        int at = 0;
        while (at < groups) {
            long piece = 0;
            long factor = 1;
            for (int i = 0; i < 4 && at < groups; i++, at++) {
                piece = piece * BASE + group(bytes, offset, at);
                factor *= BASE;
            }
            digits = digits.multiply(BigInteger.valueOf(factor)).add(BigInteger.valueOf(piece));
        }
        if (sign(bytes, offset) == NEGATIVE) digits = digits.negate();
        int scale = BASE_DIGITS * (groups - 1 - weight(bytes, offset));
        return new BigDecimal(digits, scale).setScale(BigEndian.int2(bytes, offset + 6));
    }

    private static @Nullable String special(byte[] bytes, int offset) {
        return switch (sign(bytes, offset)) {
            case NAN -> "NaN";
            case POSITIVE_INFINITY -> "Infinity";
            case NEGATIVE_INFINITY -> "-Infinity";
            default -> null;
        };
    }

    private static int weight(byte[] bytes, int offset) {
        return BigEndian.int2(bytes, offset + 2);
    }

    private static int sign(byte[] bytes, int offset) {
        return Short.toUnsignedInt(BigEndian.int2(bytes, offset + 4));
    }

    private static int group(byte[] bytes, int offset, int index) {
        return BigEndian.int2(bytes, offset + HEADER_BYTES + 2 * index);
    }
}
