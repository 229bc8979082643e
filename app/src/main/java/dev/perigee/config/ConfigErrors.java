package dev.perigee.config;

import dev.perigee.fault.Fault;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Collects the mistakes in a configuration, so that all are reported at once.
final class ConfigErrors {
    /// The place of a mistake in a variable of the environment.
    static final String ENVIRONMENT = "environment";

    private record Mistake(String place, String text) {}

    private static final Pattern LINE_AND_COLUMN = Pattern.compile(":(\\d+):(\\d+)$");

    private final List<Mistake> found = new ArrayList<>();

    /// Adds a mistake.
    ///
    /// @param place the file with line and column, or [#ENVIRONMENT]
    /// @param field the full name of the setting, such as `store.readers`
    /// @param expected what was expected there; must not contain a secret's value
    void add(String place, String field, String expected) {
        found.add(new Mistake(place, "%s: %s: %s".formatted(place, field, expected)));
    }

    /// Throws if there are mistakes. Those in the file come first, ordered by line.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] with a line for each mistake
    void refuse() {
        if (found.isEmpty()) return;
        List<String> lines = found.stream()
                .sorted(Comparator.comparingLong(ConfigErrors::order))
                .map(Mistake::text)
                .toList();
        throw Fault.CONFIG_INVALID.saying("%s: %s in the configuration. Nothing was started.\n  %s"
                .formatted(
                        Fault.CONFIG_INVALID,
                        lines.size() == 1 ? "a mistake" : lines.size() + " mistakes",
                        String.join("\n  ", lines)));
    }

    private static long order(Mistake mistake) {
        Matcher at = LINE_AND_COLUMN.matcher(mistake.place);
        return at.find() ? Long.parseLong(at.group(1)) << 32 | Long.parseLong(at.group(2)) : Long.MAX_VALUE;
    }
}
