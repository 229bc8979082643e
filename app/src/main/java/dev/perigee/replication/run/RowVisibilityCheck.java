package dev.perigee.replication.run;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// Refuses to configure a table of which row-level security at the source hides rows, if its copy is to have all rows:
/// every sync would fail. Asks the source the same question as `perigee doctor`.
final class RowVisibilityCheck {
    private RowVisibilityCheck() {}

    /// @param tables the source's tables, by the settings they are to be copied with
    /// @param isWhole whether a copy with these settings is to have all rows
    /// @throws PerigeeException [Fault#SOURCE_ROWS_HIDDEN] with the statements that would show all rows
    static void refuse(Source source, Map<TableConfig, SourceTable> tables, Predicate<TableConfig> isWhole) {
        Map<TableConfig, SourceTable> whole = new LinkedHashMap<>(tables);
        whole.keySet().removeIf(isWhole.negate());
        if (whole.isEmpty()) return;
        Map<TableId, List<Obstacle>> found = source.obstacles(List.copyOf(whole.values()));
        whole.forEach((config, table) -> {
            for (Obstacle obstacle : found.getOrDefault(table.id(), List.of())) {
                boolean isHidden = obstacle.fault().equals(Optional.of(Fault.SOURCE_ROWS_HIDDEN));
                if (isHidden) throw refusal(config.name(), obstacle);
            }
        });
    }

    private static PerigeeException refusal(String name, Obstacle obstacle) {
        return Fault.SOURCE_ROWS_HIDDEN.in(
                "table " + name,
                obstacle.what(),
                "Nothing was changed",
                "run at the source: %s; or copy only the rows that its user sees, with `rowSecurity` `filtered` (`--row-security filtered`)"
                        .formatted(String.join(", or ", obstacle.statements())));
    }
}
