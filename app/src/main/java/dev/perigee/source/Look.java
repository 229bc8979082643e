package dev.perigee.source;

import java.util.Map;

/// What one look at many tables has shown. It reads no rows but the last of each table.
///
/// @param at the version that the look began with
/// @param definitions how each table that was asked about is defined; a table that does not exist is not in it
/// @param unchanged the tables of which a sync would find nothing that was committed in this version
public record Look(
        SourceVersion.At at, Map<TableId, TableDefinition> definitions, Map<TableId, WatchedTable> unchanged) {
    public Look {
        definitions = Map.copyOf(definitions);
        unchanged = Map.copyOf(unchanged);
    }
}
