package dev.perigee.source.postgres.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A table's name as an admin wrote it: `table` or `schema.table`, with parts quoted as in SQL where they need it.
record TableName(List<Part> parts) {
    /// @param text without its quotes
    record Part(String text, boolean isQuoted) {
        /// The spellings it may have in the catalog, best first.
        List<String> spellings() {
            String lower = text.toLowerCase(Locale.ROOT);
            return isQuoted || lower.equals(text) ? List.of(text) : List.of(text, lower);
        }
    }

    TableName {
        parts = List.copyOf(parts);
    }

    /// @return empty where `name` does not have one or two parts
    static Optional<TableName> parse(String name) {
        List<Part> parts = new ArrayList<>();
        int at = 0;
        while (true) {
            Part part;
            if (at < name.length() && name.charAt(at) == '"') {
                int end = closingQuote(name, at + 1);
                if (end < 0) return Optional.empty();
                part = new Part(name.substring(at + 1, end).replace("\"\"", "\""), true);
                at = end + 1;
            } else {
                int end = name.indexOf('.', at);
                if (end < 0) end = name.length();
                part = new Part(name.substring(at, end), false);
                at = end;
            }
            if (part.text().isEmpty()) return Optional.empty();
            parts.add(part);
            if (at == name.length()) break;
            if (name.charAt(at) != '.') return Optional.empty();
            at++;
        }
        return parts.size() > 2 ? Optional.empty() : Optional.of(new TableName(parts));
    }

    /// The schema's spellings, best first; `defaultSchema` where no schema was written.
    List<String> schemas(String defaultSchema) {
        return parts.size() == 2 ? parts.get(0).spellings() : List.of(defaultSchema);
    }

    /// The table's spellings, best first.
    List<String> tables() {
        return parts.getLast().spellings();
    }

    private static int closingQuote(String name, int from) {
        for (int i = from; i < name.length(); i++) {
            if (name.charAt(i) != '"') continue;
            if (i + 1 < name.length() && name.charAt(i + 1) == '"') {
                i++;
            } else {
                return i;
            }
        }
        return -1;
    }
}
