package dev.perigee.source;

import java.util.Map;

/// Fingerprints of what a source's catalog says about a table. Two equal ones mean that the table is defined as before:
/// its columns, types, keys, indexes, parts (partitions), triggers, policies and rights. The reverse does not hold.
///
/// @param catalog of the whole catalog; where it is as before, so is `table`
/// @param table of this table, and of types and functions that any table may use
/// @param sequences by a column's identity: the number of the sequence whose numbers the column gets, where the
///     source's user may read it and it only counts up
public record TableDefinition(String catalog, String table, Map<Integer, Long> sequences) {
    /// Of a table whose definition was not asked for; the same as no other.
    public static final TableDefinition UNKNOWN = new TableDefinition("", "", Map.of());

    public TableDefinition {
        sequences = Map.copyOf(sequences);
    }

    /// Whether the table is defined as in `other`.
    public boolean isSame(TableDefinition other) {
        if (catalog.isEmpty()) return false;
        return catalog.equals(other.catalog) || table.equals(other.table);
    }
}
