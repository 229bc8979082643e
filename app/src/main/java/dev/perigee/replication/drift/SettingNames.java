package dev.perigee.replication.drift;

import dev.perigee.config.Deletes;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Layout;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.copy.CopyDefinition.Known;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// Resolves the column names in a table's settings to the names that the columns have at the source now.
///
/// A name refers to the column that had it when it was first looked up. It keeps referring to that column, even if the
/// source renames the column or gives the name to another. Once the column is dropped, the name refers to the column
/// that has it then.
public final class SettingNames {
    private final SourceTable table;
    private final Optional<CopyDefinition> made;
    private final boolean isLiteral;
    private final Map<String, Integer> identities = new HashMap<>();
    private final Map<String, String> renamed = new HashMap<>();

    private SettingNames(SourceTable table, Optional<CopyDefinition> made, boolean isLiteral) {
        this.table = table;
        this.made = made;
        this.isLiteral = isLiteral;
    }

    /// The resolved settings.
    ///
    /// @param config the settings, with columns named as the source names them now
    /// @param known which columns the original names refer to, to be stored in the copy's definition
    public record Renamed(TableConfig config, Known known) {}

    /// Resolves the names in `config`.
    ///
    /// @param made the copy's definition, which remembers earlier look-ups; empty where there is no copy
    /// @param isLiteral whether a name that the source has now means the column with that name, as in a resync
    public static Renamed follow(
            TableConfig config, SourceTable table, Optional<CopyDefinition> made, boolean isLiteral) {
        return new SettingNames(table, made, isLiteral).followed(config);
    }

    private Renamed followed(TableConfig config) {
        Optional<String> cursor = config.cursorColumn().map(this::name);
        Layout layout = config.layout();
        List<String> key = layout.key().stream().map(this::name).toList();
        TableConfig now = config.toBuilder()
                .cursorColumn(cursor)
                .layout(layout.withNames(key, names(layout.columns()), names(layout.exclude())))
                .build();
        if (config.deletes() instanceof Deletes.Soft(var column)) {
            now = now.toBuilder().deletes(new Deletes.Soft(name(column))).build();
        }
        Known known = new Known(
                identities,
                renamed,
                cursor.flatMap(table::column).map(SourceColumn::identity),
                made.map(m -> m.known().kept()).orElse(List.of()));
        return new Renamed(now, known);
    }

    /// The names, without those of columns that the source dropped: there is nothing left to copy or to exclude.
    private List<String> names(List<String> asked) {
        List<String> names = new ArrayList<>();
        for (String name : asked) {
            String found = name(name);
            boolean wasDropped =
                    identities.containsKey(name) && table.column(found).isEmpty();
            if (!wasDropped) names.add(found);
        }
        return names;
    }

    private String name(String asked) {
        Optional<SourceColumn> named = table.column(asked);
        Optional<Integer> identity = isLiteral && named.isPresent() ? Optional.empty() : identity(asked);
        Optional<SourceColumn> column =
                identity.flatMap(id -> column(c -> c.identity() == id)).or(() -> named);
        column.map(SourceColumn::identity).or(() -> identity).ifPresent(id -> identities.put(asked, id));
        String name = column.map(SourceColumn::name).orElse(asked);
        if (!name.equals(asked)) renamed.put(asked, name);
        return name;
    }

    private Optional<Integer> identity(String asked) {
        return made.flatMap(m -> Optional.ofNullable(m.known().names().get(asked))
                .or(() -> m.columns().stream()
                        .filter(c -> c.name().equals(asked))
                        .map(CopyColumn::identity)
                        .findFirst()));
    }

    private Optional<SourceColumn> column(Predicate<SourceColumn> isWanted) {
        return table.columns().stream().filter(isWanted).findFirst();
    }
}
