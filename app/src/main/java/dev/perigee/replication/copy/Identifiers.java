package dev.perigee.replication.copy;

import java.util.Collection;
import java.util.stream.Collectors;

/// Names in the text of a statement. They come from a source's catalog, so any of them may hold anything.
public final class Identifiers {
    private Identifiers() {}

    public static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /// The names quoted, with commas between.
    public static String quoted(Collection<String> names) {
        return names.stream().map(Identifiers::quoted).collect(Collectors.joining(","));
    }
}
