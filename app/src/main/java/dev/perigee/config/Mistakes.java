package dev.perigee.config;

import dev.perigee.fault.Fault;
import java.util.ArrayList;
import java.util.List;

/// Collects what is wrong with a configuration, so that all of it is said at once.
final class Mistakes {
    /// Where a variable of the environment is.
    static final String ENVIRONMENT = "environment";

    private final List<String> lines = new ArrayList<>();

    /// @param place the file with line and column, or [#ENVIRONMENT]
    /// @param field the setting by its whole name
    /// @param expected what it should be; never a secret's value
    void add(String place, String field, String expected) {
        lines.add("%s: %s: %s".formatted(place, field, expected));
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFIG_INVALID] with a line for each mistake, if there are any
    void refuse() {
        if (lines.isEmpty()) return;
        throw Fault.CONFIG_INVALID.saying("%s: %s in the configuration. Nothing was started.\n  %s"
                .formatted(
                        Fault.CONFIG_INVALID,
                        lines.size() == 1 ? "a mistake" : lines.size() + " mistakes",
                        String.join("\n  ", lines)));
    }
}
