package dev.perigee.source;

import java.util.List;
import java.util.Map;

/// What one look at many tables has shown. It reads no rows but the last of each table.
///
/// @param at the version that the look began with
/// @param definitions how each table that was asked about is defined; a table that does not exist is not in it
/// @param unchanged the tables of which a sync would find nothing that was committed in this version
public record Look(
        SourceVersion.At at, Map<TableId, TableDefinition> definitions, Map<TableId, WatchedTable> unchanged) {
    /// Tables that are looked at in one transaction, which locks each of them for a moment.
    ///
    /// @param tables the tables whose definitions are asked for
    /// @param watched tables of which it is asked whether they have anything new; each is a table, a partitioned table
    ///     or a materialized view, of which the source hides no rows
    /// @param isSteady whether the looks before watched the same tables, so that preparing is worthwhile
    public record Portion(List<TableId> tables, List<WatchedTable> watched, boolean isSteady) {
        public Portion {
            tables = List.copyOf(tables);
            watched = List.copyOf(watched);
        }
    }

    public Look {
        definitions = Map.copyOf(definitions);
        unchanged = Map.copyOf(unchanged);
    }
}
