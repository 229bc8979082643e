package dev.perigee.replication;

import java.util.Collection;
import java.util.stream.Collectors;

/// Names in the text of a statement. They come from a source's catalog, so any of them may hold anything.
final class Identifiers {
    private Identifiers() {}

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /// The names quoted, with commas between.
    static String quoted(Collection<String> names) {
        return names.stream().map(Identifiers::quoted).collect(Collectors.joining(","));
    }
}
