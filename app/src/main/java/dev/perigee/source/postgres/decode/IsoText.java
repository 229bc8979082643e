package dev.perigee.source.postgres.decode;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Turns PostgreSQL's text of a date or time, in `DateStyle` ISO and in UTC, into the text that the copy stores. See
/// [TimeDecoder].
public final class IsoText {
    private static final Pattern FORM = Pattern.compile(
            "(?:(\\d{4,})-(\\d\\d)-(\\d\\d))?[ ]?(?:(\\d\\d:\\d\\d:\\d\\d)(?:\\.(\\d{1,6}))?)?([+-][0-9:]+)?( BC)?");

    private IsoText() {}

    public static String of(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) return text; // infinity
        StringBuilder iso = new StringBuilder();
        boolean hasDate = form.group(1) != null;
        boolean hasTime = form.group(4) != null;
        if (hasDate) {
            long year = Long.parseLong(form.group(1));
            if (form.group(7) != null) year = 1 - year;
            if (year < 0 || year > 9999) iso.append(year < 0 ? '-' : '+');
            iso.append("%04d".formatted(Math.abs(year)))
                    .append('-')
                    .append(form.group(2))
                    .append('-')
                    .append(form.group(3));
        }
        if (hasDate && hasTime) iso.append('T');
        if (hasTime) {
            String fraction = form.group(5) == null ? "" : form.group(5);
            iso.append(form.group(4)).append('.').append(fraction).append("0".repeat(6 - fraction.length()));
        }
        String zone = form.group(6);
        if (zone != null) iso.append(hasDate ? "Z" : zone.contains(":") ? zone : zone + ":00");
        return iso.toString();
    }
}
