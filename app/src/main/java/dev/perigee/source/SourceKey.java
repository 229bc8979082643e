package dev.perigee.source;

import java.util.List;

/// The columns by which a source tells the rows of a table apart.
///
/// @param columns in key order: those of the primary key, or of a unique index without NULLs; empty where there is
///     neither
/// @param origin for people: `primary key`, `unique index "orders_code_key"`, `configured`, `none`, or that of
///     [#INHERITED]
public record SourceKey(List<String> columns, String origin) {
    /// The table has neither a primary key nor a unique index without NULLs.
    public static final SourceKey NONE = new SourceKey(List.of(), "none");

    /// The table's own keys do not cover all its rows, because other tables inherit from it.
    public static final SourceKey INHERITED = new SourceKey(List.of(), "none, since other tables inherit from it");

    public SourceKey {
        columns = List.copyOf(columns);
    }

    /// The columns that an admin configured as the key.
    public static SourceKey configured(List<String> columns) {
        return new SourceKey(columns, "configured");
    }

    public boolean isMissing() {
        return columns.isEmpty();
    }

    /// Why the table has no key: a clause that calls the table `it`.
    public String whyMissing() {
        return equals(INHERITED)
                ? "other tables inherit from it, and its keys do not cover their rows"
                : "it has neither a primary key nor a unique index without NULLs";
    }
}
