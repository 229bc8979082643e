package dev.perigee.sqlite;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// Column affinity: how SQLite converts values written to a column, which follows from the column's declared type.
/// Tells which numbers a column keeps with all their digits. SQLite rounds all others silently, and its own parser of
/// decimals is off by one bit for some.
///
/// @see <a href="https://www.sqlite.org/datatype3.html#determination_of_column_affinity">SQLite: Determination Of
///     Column Affinity</a>
public enum Affinity {
    INTEGER,
    TEXT,
    /// Values stay as they are. Also for a column without a declared type, and for `ANY`, as in STRICT tables.
    BLOB,
    REAL,
    NUMERIC;

    private static final Pattern NUMBER =
            Pattern.compile("[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(?:[eE][+-]?[0-9]+)?");
    private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+");
    private static final Pattern NOT_ZERO = Pattern.compile("[^eE]*[1-9].*", Pattern.DOTALL);

    /// A number with more characters has more digits than any double written out in full.
    private static final int MAX_CHARS = 1100;

    /// Decimal numbers of up to this many digits survive the conversion to a double and back.
    private static final int SAFE_CHARS = 15;

    public static Affinity of(String declaredType) {
        String type = declaredType.toUpperCase(Locale.ROOT);
        if (type.contains("INT")) return INTEGER;
        if (type.contains("CHAR") || type.contains("CLOB") || type.contains("TEXT")) return TEXT;
        if (type.contains("BLOB") || type.isEmpty() || type.equals("ANY")) return BLOB;
        return type.contains("REAL") || type.contains("FLOA") || type.contains("DOUB") ? REAL : NUMERIC;
    }

    /// Whether SQLite reads the text as a number: decimal digits, perhaps with a sign, a fraction and an exponent, and
    /// white space around it.
    public static boolean isNumber(String text) {
        return NUMBER.matcher(stripped(text)).matches();
    }

    /// The value nearest to the number, for comparisons: the exact one if there is one, else a rounded real.
    ///
    /// @param text a number, by [#isNumber]
    public static Value nearest(String text) {
        return exact(text).orElseGet(() -> new Value.Real(Double.parseDouble(text)));
    }

    /// The SQLite value that keeps all digits of the number: a 64-bit integer if it is whole, else a real.
    ///
    /// @return empty if no such value exists
    public static Optional<Value> exact(String text) {
        String number = stripped(text);
        if (!WHOLE.matcher(number).matches()) return real(number);
        try {
            return Optional.of(new Value.Int(Long.parseLong(number)));
        } catch (NumberFormatException _) {
            return Optional.empty();
        }
    }

    /// The value to write for a number that the caller gave as a number, such as one in JSON.
    ///
    /// @return empty if the column would not keep all of its digits
    public Optional<Value> ofNumber(String number) {
        return switch (this) {
            case TEXT -> Optional.of(new Value.Text(number));
            case REAL -> real(stripped(number));
            case INTEGER, BLOB, NUMERIC -> exact(number);
        };
    }

    /// The value to write for a text. It is a number if the column would convert the text to one.
    ///
    /// @return empty if the column would convert the text to a number, but not keep all of its digits
    public Optional<Value> ofText(String text) {
        Value asItIs = new Value.Text(text);
        if (this == TEXT || this == BLOB) return Optional.of(asItIs);
        if (isNumber(text)) return ofNumber(text);
        if (this != REAL) return Optional.of(asItIs);
        // Infinite reals are shown to callers as these texts.
        return Optional.of(
                switch (text) {
                    case "Infinity" -> new Value.Real(Double.POSITIVE_INFINITY);
                    case "-Infinity" -> new Value.Real(Double.NEGATIVE_INFINITY);
                    default -> asItIs;
                });
    }

    /// The double that gives the number back when it is rounded to as many digits as the number has; empty if there is
    /// none.
    private static Optional<Value> real(String number) {
        if (number.length() > MAX_CHARS) return Optional.empty();
        double nearest = Double.parseDouble(number);
        Optional<Value> real = Optional.of(new Value.Real(nearest));
        if (number.length() <= SAFE_CHARS && number.indexOf('e') < 0 && number.indexOf('E') < 0) return real;
        if (Double.isInfinite(nearest)) return Optional.empty();
        if (nearest == 0) return NOT_ZERO.matcher(number).matches() ? Optional.empty() : real;
        BigDecimal given = new BigDecimal(number); // the checks above leave only exponents that a double can have
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
