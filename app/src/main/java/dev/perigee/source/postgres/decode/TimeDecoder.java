package dev.perigee.source.postgres.decode;

import dev.perigee.batch.Batch;
import java.nio.charset.StandardCharsets;

/// Dates and times as ISO 8601 text. A second always has six digits, so that the order of the text is the order in
/// time. Instants are in UTC, with a `Z`. Years after 9999 and before 0 have a sign and are outside that order, and so
/// are `infinity` and `-infinity`.
///
/// PostgreSQL counts microseconds or days from 2000-01-01 of the proleptic Gregorian calendar, which ISO 8601 uses too.
public final class TimeDecoder implements Decoder {
    public enum Kind {
        DATE,
        TIME,
        TIMETZ,
        TIMESTAMP,
        TIMESTAMPTZ
    }

    private static final long SECOND_MICROS = 1_000_000;
    private static final long DAY_MICROS = 86_400 * SECOND_MICROS;
    private static final long DAYS_1970_TO_2000 = 10_957;

    private final Kind kind;
    private final boolean isEpochMicros;
    private final byte[] text = new byte[48];
    private int at;

    /// @param isEpochMicros whether timestamps are stored as microseconds since 1970-01-01
    public TimeDecoder(Kind kind, boolean isEpochMicros) {
        this.kind = kind;
        this.isEpochMicros = isEpochMicros && (kind == Kind.TIMESTAMP || kind == Kind.TIMESTAMPTZ);
    }

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        if (isEpochMicros && !isInfinite(bytes, offset)) {
            batch.putInt(BigEndian.int8(bytes, offset) + DAYS_1970_TO_2000 * DAY_MICROS);
            return;
        }
        format(bytes, offset, false);
        batch.putText(text, 0, at);
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        format(bytes, offset, true);
        return new String(text, 0, at, StandardCharsets.US_ASCII);
    }

    /// @param isForSource whether to write what PostgreSQL reads, with years before 1 as `BC`
    private void format(byte[] bytes, int offset, boolean isForSource) {
        at = 0;
        switch (kind) {
            case DATE -> {
                if (infinite(bytes, offset)) return;
                putDate(BigEndian.int4(bytes, offset), isForSource);
            }
            case TIME -> putTime(BigEndian.int8(bytes, offset));
            case TIMETZ -> {
                putTime(BigEndian.int8(bytes, offset));
                putOffset(-BigEndian.int4(bytes, offset + 8)); // sent as seconds west of Greenwich
            }
            case TIMESTAMP, TIMESTAMPTZ -> {
                if (infinite(bytes, offset)) return;
                long micros = BigEndian.int8(bytes, offset);
                boolean isBeforeChrist = putDate(Math.floorDiv(micros, DAY_MICROS), isForSource);
                if (isBeforeChrist) at -= 3;
                text[at++] = 'T';
                putTime(Math.floorMod(micros, DAY_MICROS));
                if (kind == Kind.TIMESTAMPTZ) text[at++] = 'Z';
                if (isBeforeChrist) put(" BC");
            }
        }
    }

    private boolean isInfinite(byte[] bytes, int offset) {
        if (kind == Kind.DATE) {
            int days = BigEndian.int4(bytes, offset);
            return days == Integer.MAX_VALUE || days == Integer.MIN_VALUE;
        }
        long micros = BigEndian.int8(bytes, offset);
        return micros == Long.MAX_VALUE || micros == Long.MIN_VALUE;
    }

    private boolean infinite(byte[] bytes, int offset) {
        if (!isInfinite(bytes, offset)) return false;
        put(bytes[offset] < 0 ? "-infinity" : "infinity");
        return true;
    }

    /// Turns a number of days into a date, by arithmetic on eras of 400 years. Eras begin in March, so that the leap
    /// day is the last day of a year.
    ///
    /// @param days since 2000-01-01
    /// @return whether the text ends in ` BC`
    /// @see <a href="https://howardhinnant.github.io/date_algorithms.html#civil_from_days">civil_from_days</a>
    private boolean putDate(long days, boolean isForSource) {
        long shifted = days + DAYS_1970_TO_2000 + 719_468;
        long era = Math.floorDiv(shifted, 146_097);
        int dayOfEra = (int) Math.floorMod(shifted, 146_097L);
        int yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        int dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        int monthFromMarch = (5 * dayOfYear + 2) / 153;
        int day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1;
        int month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
        long year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        boolean isBeforeChrist = isForSource && year <= 0;
        putYear(isBeforeChrist ? 1 - year : year, isForSource);
        text[at++] = '-';
        put2(month);
        text[at++] = '-';
        put2(day);
        if (isBeforeChrist) put(" BC");
        return isBeforeChrist;
    }

    private void putYear(long year, boolean isForSource) {
        if (year >= 0 && year <= 9999) {
            put2((int) year / 100);
            put2((int) year % 100);
            return;
        }
        if (!isForSource) text[at++] = (byte) (year < 0 ? '-' : '+');
        put("%04d".formatted(Math.abs(year)));
    }

    /// @param micros since midnight, up to and including 24:00
    private void putTime(long micros) {
        int seconds = (int) (micros / SECOND_MICROS);
        int fraction = (int) (micros % SECOND_MICROS);
        put2(seconds / 3600);
        text[at++] = ':';
        put2(seconds / 60 % 60);
        text[at++] = ':';
        put2(seconds % 60);
        text[at++] = '.';
        put2(fraction / 10_000);
        put2(fraction / 100 % 100);
        put2(fraction % 100);
    }

    private void putOffset(int seconds) {
        int size = Math.abs(seconds);
        text[at++] = (byte) (seconds < 0 ? '-' : '+');
        put2(size / 3600);
        text[at++] = ':';
        put2(size / 60 % 60);
        if (size % 60 != 0) {
            text[at++] = ':';
            put2(size % 60);
        }
    }

    private void put2(int number) {
        text[at++] = (byte) ('0' + number / 10);
        text[at++] = (byte) ('0' + number % 10);
    }

    private void put(String ascii) {
        for (int i = 0; i < ascii.length(); i++) text[at++] = (byte) ascii.charAt(i);
    }
}
