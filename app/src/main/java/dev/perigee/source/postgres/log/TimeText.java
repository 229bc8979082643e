package dev.perigee.source.postgres.log;

import dev.perigee.batch.Batch;
import dev.perigee.source.postgres.decode.Decoder;
import dev.perigee.source.postgres.decode.IsoText;
import dev.perigee.source.postgres.decode.PlainDecoder;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;

/// Timestamps, dates and times in PostgreSQL's text form, in `DateStyle` ISO and in UTC, stored as
/// [dev.perigee.source.postgres.decode.TimeDecoder] stores their binary form.
final class TimeText implements Decoder {
    private static final int DATE_LENGTH = 10;
    private static final int SECONDS_LENGTH = 19;
    private static final int MICROS_LENGTH = 26;

    private final boolean isTimestamp;
    private final boolean isInstant;
    private final boolean isEpochMicros;
    private final byte[] iso = new byte[MICROS_LENGTH + 1];

    private TimeText(boolean isTimestamp, boolean isInstant, boolean isEpochMicros) {
        this.isTimestamp = isTimestamp;
        this.isInstant = isInstant;
        this.isEpochMicros = isEpochMicros;
    }

    /// @param isEpochMicros whether it is stored as microseconds since 1970-01-01
    static TimeText ofTimestamp(boolean isInstant, boolean isEpochMicros) {
        return new TimeText(true, isInstant, isEpochMicros);
    }

    static TimeText ofDateOrTime() {
        return new TimeText(false, false, false);
    }

    @Override
    public void decode(byte[] bytes, int offset, int length, Batch batch) {
        if (isTimestamp && isUsual(bytes, offset, length)) {
            format(bytes, offset, length);
            if (isEpochMicros) batch.putInt(micros());
            else batch.putText(iso, 0, isInstant ? MICROS_LENGTH + 1 : MICROS_LENGTH);
            return;
        }
        String text = IsoText.of(PlainDecoder.TEXT.text(bytes, offset, length));
        if (isEpochMicros && !text.endsWith("infinity")) batch.putInt(micros(text));
        else batch.putText(text);
    }

    @Override
    public String text(byte[] bytes, int offset, int length) {
        return PlainDecoder.TEXT.text(bytes, offset, length);
    }

    /// Whether it is `2024-01-31 12:34:56`, perhaps with a fraction, and with `+00` where it is an instant.
    private boolean isUsual(byte[] bytes, int offset, int length) {
        int end = isInstant ? length - 3 : length;
        return end >= SECONDS_LENGTH
                && end <= MICROS_LENGTH
                && bytes[offset + 4] == '-'
                && bytes[offset + DATE_LENGTH] == ' '
                && bytes[offset + length - 1] != 'C'
                && (!isInstant || bytes[offset + end] == '+')
                && (end == SECONDS_LENGTH || bytes[offset + SECONDS_LENGTH] == '.');
    }

    private void format(byte[] bytes, int offset, int length) {
        int end = isInstant ? length - 3 : length;
        System.arraycopy(bytes, offset, iso, 0, end);
        iso[DATE_LENGTH] = 'T';
        iso[SECONDS_LENGTH] = '.';
        for (int i = Math.max(end, SECONDS_LENGTH + 1); i < MICROS_LENGTH; i++) iso[i] = '0';
        iso[MICROS_LENGTH] = 'Z';
    }

    private long micros() {
        long day = LocalDate.of(number(0, 4), number(5, 2), number(8, 2)).toEpochDay();
        long second = day * 86_400 + number(11, 2) * 3600L + number(14, 2) * 60L + number(17, 2);
        return second * 1_000_000 + number(SECONDS_LENGTH + 1, 6);
    }

    private int number(int from, int length) {
        int number = 0;
        for (int i = from; i < from + length; i++) number = number * 10 + iso[i] - '0';
        return number;
    }

    private static long micros(String text) {
        String local = text.endsWith("Z") ? text.substring(0, text.length() - 1) : text;
        return ChronoUnit.MICROS.between(LocalDateTime.ofEpochSecond(0, 0, ZoneOffset.UTC), LocalDateTime.parse(local));
    }
}
