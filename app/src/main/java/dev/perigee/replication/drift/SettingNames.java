package dev.perigee.replication.drift;

import dev.perigee.config.Deletes;
import dev.perigee.config.TableConfig;
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

/// The columns that a table's settings name, found again at the source when they have other names there now.
///
/// A name means the column that had it when it was first looked up. It goes on meaning that one whatever becomes of the
/// names at the source; once the column is dropped, it means one that has the name.
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

    /// What `config` asks for, in the source's names of now.
    ///
    /// @param config the settings, in the names that `known` remembers
    /// @param known to be kept in the copy's definition
    public record Renamed(TableConfig config, Known known) {}

    /// @param made how the copy was made; empty where there is none
    /// @param isLiteral whether names the source has are taken as they are, as a resync does
    public static Renamed follow(
            TableConfig config, SourceTable table, Optional<CopyDefinition> made, boolean isLiteral) {
        return new SettingNames(table, made, isLiteral).followed(config);
    }

    private Renamed followed(TableConfig config) {
        Optional<String> cursor = config.cursorColumn().map(this::name);
        TableConfig now = new TableConfig(
                config.name(),
                config.mode(),
                cursor,
                config.interval(),
                config.cron(),
                config.timeZone(),
                config.key().stream().map(this::name).toList(),
                names(config.columns()),
                names(config.exclude()),
                config.target(),
                config.pageRows(),
                config.nullCursor(),
                config.indexes(),
                config.numeric(),
                config.timestamps(),
                config.group(),
                config.promises(),
                config.droppedColumns(),
                config.rowSecurity(),
                config.paused());
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

    /// Those that are still there: of one that was dropped nothing is left to copy, or to leave out.
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
