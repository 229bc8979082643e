package dev.perigee.source.postgres.log;

import dev.perigee.source.TableId;
import java.util.List;

/// A table as the stream describes it, before the first change of it and again after each change of its definition.
///
/// @param oid `pg_class.oid`, by which the changes name the table
/// @param identity `pg_class.relreplident`, which says what the stream tells of a row's old values: `d` its primary
///     key, `i` the columns of an index, `f` all of them, `n` nothing
/// @param columns in the order of a tuple's fields
public record LogRelation(int oid, TableId table, char identity, List<Column> columns) {
    /// @param isKey whether the column is part of the row's identity
    /// @param type `pg_attribute.atttypid`, which may be a domain
    public record Column(String name, boolean isKey, int type, int modifier) {}

    public LogRelation {
        columns = List.copyOf(columns);
    }

    /// @return the index of the column's field in a tuple; -1 for none
    public int field(String column) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equals(column)) return i;
        }
        return -1;
    }
}
