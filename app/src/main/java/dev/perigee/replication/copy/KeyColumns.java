package dev.perigee.replication.copy;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import java.util.List;

/// Chooses the columns that identify a row of a copy: those that the settings name, else the source's own key.
final class KeyColumns {
    private KeyColumns() {}

    /// @param copied the columns of the copy
    /// @return empty where rows need no key
    /// @throws dev.perigee.fault.PerigeeException [Fault#KEY_MISSING], [Fault#SOURCE_COLUMN_MISSING],
    ///     [Fault#SOURCE_PERMISSION], [Fault#INVALID_REQUEST]
    static List<String> of(TableConfig config, SourceTable table, List<CopyColumn> copied, String where) {
        List<String> key = config.key().isEmpty() ? table.key().columns() : config.key();
        // In mode `full` each sync replaces the whole copy, so no row has to be found by its key.
        if (key.isEmpty() && config.mode() == Mode.FULL) return key;
        if (key.isEmpty()) {
            throw Fault.KEY_MISSING.in(
                    where,
                    "rows of %s cannot be told apart: %s"
                            .formatted(table.id(), table.key().whyMissing()),
                    "Nothing was changed",
                    "name the columns that identify a row as `key`, or copy the table in mode `full`");
        }
        for (String name : key) {
            SourceColumn column = CopyDefinition.require(table, name, "key", where);
            if (copied.stream().noneMatch(c -> c.name().equals(name))) {
                throw Fault.INVALID_REQUEST.in(
                        where,
                        "the key column \"%s\" is not among the columns copied".formatted(name),
                        "Nothing was changed",
                        "name it in `columns` too, or take it out of `exclude`");
            }
            refuseMasked(table, name, "key", where);
            if (!column.isOrdered()) {
                throw Fault.KEY_MISSING.in(
                        where,
                        "the key column \"%s\" is of type %s, whose values have no order"
                                .formatted(name, column.sourceType()),
                        "Nothing was changed",
                        "name other columns that identify a row as `key`, or copy the table in mode `full`");
            }
        }
        requireUnique(config, table, key, where);
        return key;
    }

    /// A row that leaves the slice is removed by its key. So no other row of the table may have that key, in the slice
    /// or outside.
    private static void requireUnique(TableConfig config, SourceTable table, List<String> key, String where) {
        if (config.mode() == Mode.FULL || table.access().slice().isEmpty() || table.isUnique(key)) return;
        throw Fault.KEY_MISSING.in(
                where,
                "`where` is set, and the source does not make sure that no two rows of %s share the key %s, so a row that ceases to match could take another one with it"
                        .formatted(table.id(), key),
                "Nothing was changed",
                "create a unique index on these columns at the source, or copy the table in mode `full`; put the condition into the view where the table is one");
    }

    /// Refuses a column whose values are not the source's own: they neither order nor identify rows.
    static void refuseMasked(SourceTable table, String column, String field, String where) {
        if (!table.access().masks().containsKey(column)) return;
        throw Fault.INVALID_REQUEST.in(
                where,
                "`columns` masks \"%s\", which is part of its `%s`".formatted(column, field),
                "Nothing was changed",
                "mask other columns only, or choose another `%s`".formatted(field));
    }
}
