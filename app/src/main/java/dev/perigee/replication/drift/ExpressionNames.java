package dev.perigee.replication.drift;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.Choices;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Expression;
import dev.perigee.source.Mask;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The columns that expressions in a table's settings meant when its copy was made. Names in an expression cannot be
/// followed as those in other settings are ([SettingNames]): its text is the source's.
///
/// @param columns the columns, with the setting that names each
/// @param masked the names of all columns that the settings mask now
/// @param name the table's configured name
record ExpressionNames(List<Named> columns, Set<String> masked, String name) {
    /// @param isMasked whether it is the masked column itself
    private record Named(String field, Expression.Used column, boolean isMasked) {}

    /// @param isLiteral whether names in `where` mean the columns that have them now, as in a resync. A masked column
    ///     is never left to that: its values would be copied as they are, under its new name
    static ExpressionNames of(Store store, TableConfig asked, boolean isLiteral) {
        List<Named> columns = new ArrayList<>();
        Optional<Choices> before = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, asked.name()))
                .flatMap(TableState::definition)
                .map(CopyDefinition::choices);
        before.ifPresent(made -> made.masks().forEach((column, mask) -> {
            String text = asked.masks().get(column);
            if (text != null) columns.addAll(of(mask, text));
        }));
        Optional<Expression> slice = before.flatMap(made -> Optional.ofNullable(made.slice()));
        slice.filter(made -> !isLiteral && asked.where().equals(Optional.of(made.text())))
                .ifPresent(made -> made.columns().forEach(used -> columns.add(new Named("where", used, false))));
        return new ExpressionNames(columns, asked.masks().keySet(), asked.name());
    }

    private static List<Named> of(Mask mask, String text) {
        String field = "columns." + mask.column().name();
        List<Named> columns = new ArrayList<>(List.of(new Named(field, mask.column(), true)));
        if (mask.expression().text().equals(text))
            mask.expression().columns().forEach(used -> columns.add(new Named(field, used, false)));
        return columns;
    }

    /// Refuses an expression in which a name means another column now, or none any more.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_COLUMN_MISSING] with the column's new name
    void requireUnmoved(SourceTable table) {
        for (Named named : columns) {
            Expression.Used column = named.column();
            Optional<String> present = table.columns().stream()
                    .filter(candidate -> candidate.identity() == column.identity())
                    .map(SourceColumn::name)
                    .findFirst();
            boolean isCovered = named.isMasked() && present.isPresent() && masked.contains(present.get());
            if (isCovered || present.equals(Optional.of(column.name()))) continue;
            String now = present.map("is called \"%s\" now"::formatted).orElse("was dropped");
            throw Fault.SOURCE_COLUMN_MISSING.in(
                    "table " + name,
                    "`%s` uses the column \"%s\", which %s at the source".formatted(named.field(), column.name(), now),
                    "Nothing was changed; the copy stays as it is and is served",
                    "set `where` and `columns` with the columns' present names, with `perigee tables set %s`; all rows are then fetched again"
                            .formatted(Remedies.word(name)));
        }
    }
}
