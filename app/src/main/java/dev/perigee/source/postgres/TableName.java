package dev.perigee.source.postgres;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A table's name as an admin wrote it: `table` or `schema.table`, parts in double quotes where they have dots.
///
/// @param schema empty where only the table was named
record TableName(Optional<Part> schema, Part table) {
    /// @param isQuoted then it is meant as it is written; else lower case is tried too
    record Part(String text, boolean isQuoted) {
        /// What the catalog may have, best first.
        List<String> candidates() {
            String lower = text.toLowerCase(Locale.ROOT);
            return isQuoted || lower.equals(text) ? List.of(text) : List.of(text, lower);
        }
    }

    /// @return empty where the text is not a name of one or two parts
    static Optional<TableName> parse(String text) {
        List<Part> parts = new ArrayList<>();
        int at = 0;
        while (true) {
            if (at < text.length() && text.charAt(at) == '"') {
                StringBuilder name = new StringBuilder();
                at++;
                while (true) {
                    int quote = text.indexOf('"', at);
                    if (quote < 0) return Optional.empty();
                    name.append(text, at, quote);
                    at = quote + 1;
                    if (at >= text.length() || text.charAt(at) != '"') break;
                    name.append('"');
                    at++;
                }
                parts.add(new Part(name.toString(), true));
            } else {
                int dot = text.indexOf('.', at);
                int end = dot < 0 ? text.length() : dot;
                parts.add(new Part(text.substring(at, end), false));
                at = end;
            }
            if (at == text.length()) break;
            if (text.charAt(at) != '.') return Optional.empty();
            at++;
        }
        if (parts.size() > 2 || parts.stream().anyMatch(part -> part.text().isEmpty())) return Optional.empty();
        return Optional.of(
                parts.size() == 1
                        ? new TableName(Optional.empty(), parts.getFirst())
                        : new TableName(Optional.of(parts.getFirst()), parts.getLast()));
    }
}
