package dev.perigee.source;

import java.util.List;

/// An index over plain columns. Indexes over expressions and partial indexes are left out.
public record SourceIndex(String name, List<String> columns, boolean isUnique) {
    public SourceIndex {
        columns = List.copyOf(columns);
    }
}
