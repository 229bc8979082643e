package dev.perigee.sqlite;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// What a column's declared type makes of the values that are written to it, and which numbers it keeps with all of
/// their digits. SQLite itself rounds the others without a word, and its own reader of decimals is off by a bit for
/// some.
///
/// @see <a href="https://www.sqlite.org/datatype3.html#determination_of_column_affinity">SQLite: Determination Of
///     Column Affinity</a>
public enum Affinity {
    INTEGER,
    TEXT,
    /// Also where there is no declared type, and `ANY`: values stay as they are.
    BLOB,
    REAL,
    NUMERIC;

    private static final Pattern NUMBER =
            Pattern.compile("[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?");
    private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+");
    private static final Pattern NOT_ZERO = Pattern.compile("[^eE]*[1-9].*", Pattern.DOTALL);

    /// More digits than any double has in full.
    private static final int MAX_CHARS = 1100;

    /// So many digits every double gives back as they were.
    private static final int SAFE_CHARS = 15;

    public static Affinity of(String declaredType) {
        String type = declaredType.toUpperCase(Locale.ROOT);
        if (type.contains("INT")) return INTEGER;
        if (type.contains("CHAR") || type.contains("CLOB") || type.contains("TEXT")) return TEXT;
        if (type.contains("BLOB") || type.isEmpty() || type.equals("ANY")) return BLOB;
        return type.contains("REAL") || type.contains("FLOA") || type.contains("DOUB") ? REAL : NUMERIC;
    }

    /// Whether the text is a number as SQLite reads it: decimal digits, a fraction and an exponent perhaps, with blanks
    /// around it.
    public static boolean isNumber(String text) {
        return NUMBER.matcher(stripped(text)).matches();
    }

    /// The nearest value there is, to compare with.
    ///
    /// @param text a number
    public static Value nearest(String text) {
        return exact(text).orElseGet(() -> new Value.Real(Double.parseDouble(text)));
    }

    /// The number as one of SQLite's own with all of its digits: an integer of 64 bits, else a real that has them.
    ///
    /// @return empty where there is none
    public static Optional<Value> exact(String text) {
        String number = stripped(text);
        if (!WHOLE.matcher(number).matches()) return real(number);
        try {
            return Optional.of(new Value.Int(Long.parseLong(number)));
        } catch (NumberFormatException _) {
            return Optional.empty();
        }
    }

    /// What stores a number that was not given as a text.
    ///
    /// @return empty where the column would not keep all of its digits
    public Optional<Value> ofNumber(String number) {
        return switch (this) {
            case TEXT -> Optional.of(new Value.Text(number));
            case REAL -> real(stripped(number));
            case INTEGER, BLOB, NUMERIC -> exact(number);
        };
    }

    /// What stores a text: a number where the column makes one of it.
    ///
    /// @return empty where the column would make a number of it, but not keep all of its digits
    public Optional<Value> ofText(String text) {
        Value asItIs = new Value.Text(text);
        if (this == TEXT || this == BLOB) return Optional.of(asItIs);
        if (isNumber(text)) return ofNumber(text);
        if (this != REAL) return Optional.of(asItIs);
        // As such reals are shown.
        return Optional.of(
                switch (text) {
                    case "Infinity" -> new Value.Real(Double.POSITIVE_INFINITY);
                    case "-Infinity" -> new Value.Real(Double.NEGATIVE_INFINITY);
                    default -> asItIs;
                });
    }

    /// A double that, written with as many digits as the number has, is that number.
    private static Optional<Value> real(String number) {
        if (number.length() > MAX_CHARS) return Optional.empty();
        double nearest = Double.parseDouble(number);
        Optional<Value> real = Optional.of(new Value.Real(nearest));
        if (number.length() <= SAFE_CHARS && number.indexOf('e') < 0 && number.indexOf('E') < 0) return real;
        if (Double.isInfinite(nearest)) return Optional.empty();
        if (nearest == 0) return NOT_ZERO.matcher(number).matches() ? Optional.empty() : real;
        BigDecimal given = new BigDecimal(number); // its exponent is one of a double's
        BigDecimal kept = new BigDecimal(nearest).round(new MathContext(given.precision()));
        return kept.compareTo(given) == 0 ? real : Optional.empty();
    }

    private static String stripped(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isBlank(text.charAt(from))) from++;
        while (to > from && isBlank(text.charAt(to - 1))) to--;
        return text.substring(from, to);
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c >= '\t' && c <= '\r';
    }
}
