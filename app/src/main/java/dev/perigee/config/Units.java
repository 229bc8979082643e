package dev.perigee.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Durations and sizes as people write them.
public final class Units {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,12})\\s*(ms|s|m|h|d)");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,18})\\s*([a-zA-Z]{0,3})");

    /// A kilobyte has 1024 bytes, as in PostgreSQL's settings.
    private static final Map<String, Long> BYTES = Map.of(
            "", 1L, "b", 1L, "kb", 1L << 10, "kib", 1L << 10, "mb", 1L << 20, "mib", 1L << 20, "gb", 1L << 30, "gib",
            1L << 30, "tb", 1L << 40);

    private Units() {}

    /// Reads `250ms`, `5s`, `1m`, `2h` or `1d`. Empty if the text is not a duration, or its milliseconds do not fit a
    /// `long`.
    public static Optional<Duration> duration(String text) {
        Matcher matcher = DURATION.matcher(text.strip());
        if (!matcher.matches()) return Optional.empty();
        long amount = Long.parseLong(matcher.group(1));
        Duration duration = switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            case "h" -> Duration.ofHours(amount);
            default -> Duration.ofDays(amount);
        };
        return Optional.of(duration).filter(d -> d.compareTo(Duration.ofMillis(Long.MAX_VALUE)) <= 0);
    }

    /// The text that [#duration] reads back. Fractions of a millisecond are dropped.
    public static String text(Duration duration) {
        if (duration.toMillis() % 1000 != 0) return duration.toMillis() + "ms";
        long seconds = duration.toSeconds();
        if (seconds % 86_400 == 0 && seconds > 0) return seconds / 86_400 + "d";
        if (seconds % 3600 == 0 && seconds > 0) return seconds / 3600 + "h";
        return seconds % 60 == 0 && seconds > 0 ? seconds / 60 + "m" : seconds + "s";
    }

    /// Reads `512`, `64KB`, `16MB` or `2GB`. Empty if the text is not a size, or its bytes do not fit a `long`.
    static Optional<Long> bytes(String text) {
        Matcher matcher = SIZE.matcher(text.strip());
        if (!matcher.matches()) return Optional.empty();
        Long unit = BYTES.get(matcher.group(2).toLowerCase(Locale.ROOT));
        if (unit == null) return Optional.empty();
        try {
            return Optional.of(Math.multiplyExact(Long.parseLong(matcher.group(1)), unit));
        } catch (ArithmeticException e) {
            return Optional.empty();
        }
    }

    /// The text that [#bytes] reads back.
    static String text(long bytes) {
        if (bytes > 0 && bytes % (1L << 30) == 0) return (bytes >> 30) + "GB";
        if (bytes > 0 && bytes % (1L << 20) == 0) return (bytes >> 20) + "MB";
        return bytes > 0 && bytes % (1L << 10) == 0 ? (bytes >> 10) + "KB" : bytes + "";
    }
}
