package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.replication.state.Guarantee;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Obstacle.Effect;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceIndex;
import dev.perigee.source.SourceKey;
import dev.perigee.source.SourceReport;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.SqlNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// What a copy of one table would be like, before anything is copied: how [TableChooser] would copy it, which guarantee
/// it would have, and what stands in the way of a better one.
///
/// @param guarantee the guarantee as the status words it; empty if a copy would be wrong or cannot be made
/// @param obstacles what makes the copy wrong, its guarantee weaker or its syncs dearer
public record TableOutlook(Choice choice, Optional<String> guarantee, List<Obstacle> obstacles) {

    /// The outlook of each chosen table, in the order given. Asks the source for obstacles.
    ///
    /// @param report what the source says of itself, on which the guarantees depend
    public static List<TableOutlook> of(Source source, List<Choice> choices, SourceReport report) {
        Map<TableId, List<Obstacle>> found =
                source.obstacles(choices.stream().map(Choice::table).toList());
        return choices.stream()
                .map(choice -> of(choice, found.getOrDefault(choice.table().id(), List.of()), report))
                .toList();
    }

    /// Whether an obstacle would make a copy wrong, or impossible although the table exists.
    public boolean isWrong() {
        return obstacles.stream().anyMatch(obstacle -> obstacle.effect() == Effect.WRONG);
    }

    private static TableOutlook of(Choice choice, List<Obstacle> found, SourceReport report) {
        SourceTable table = choice.table();
        List<Obstacle> obstacles = new ArrayList<>(found);
        Optional<TableConfig> config = choice.config();
        boolean isRight = config.isPresent() && found.stream().noneMatch(one -> one.effect() == Effect.WRONG);
        config.flatMap(TableConfig::cursorColumn)
                .flatMap(table::column)
                .filter(cursor -> !Guarantee.isStamped(config.orElseThrow(), table, false))
                .ifPresent(cursor -> obstacles.add(byClients(table, cursor)));
        if (table.key().isMissing()) withKey(table).ifPresent(obstacles::add);
        TableChooser.updated(table)
                .filter(updated -> TableChooser.indexOn(table, updated).isEmpty())
                .flatMap(updated -> indexed(table, updated))
                .ifPresent(obstacles::add);
        Optional<String> guarantee =
                isRight ? config.map(c -> Guarantee.of(c, table, report.sight(), false)) : Optional.empty();
        return new TableOutlook(choice, guarantee, List.copyOf(obstacles));
    }

    /// The obstacle that clients may write the cursor's values. The statements that remove it create a trigger that
    /// sets the time, whatever a client sends.
    private static Obstacle byClients(SourceTable table, SourceColumn cursor) {
        String what =
                "values of \"%s\" may come from clients, so they prove nothing about when rows were committed (set `stampedBy: source` if only the database writes them)"
                        .formatted(cursor.name());
        boolean isPlain = table.kind() == SourceTable.Kind.TABLE || table.kind() == SourceTable.Kind.PARTITIONED_TABLE;
        if (!isPlain || !cursor.sourceType().startsWith("timestamp")) return Obstacle.of(Effect.WEAKER, what);
        String function = SqlNames.quoted(table.id().schema()) + "."
                + SqlNames.quoted("stamp_" + table.id().name());
        return Obstacle.of(
                Effect.WEAKER,
                what,
                "CREATE FUNCTION %1$s() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.%2$s := now(); RETURN NEW; END$$; CREATE TRIGGER %3$s BEFORE INSERT OR UPDATE ON %4$s FOR EACH ROW EXECUTE FUNCTION %1$s()"
                        .formatted(
                                function,
                                SqlNames.quoted(cursor.name()),
                                SqlNames.quoted("stamp_" + table.id().name()),
                                name(table)));
    }

    private static Optional<Obstacle> withKey(SourceTable table) {
        if (table.kind() != SourceTable.Kind.TABLE && table.kind() != SourceTable.Kind.PARTITIONED_TABLE) {
            return Optional.empty();
        }
        String what = table.key().whyMissing() + ", so all rows are fetched each time";
        if (table.key().equals(SourceKey.INHERITED)) return Optional.of(Obstacle.of(Effect.DEARER, what));
        Optional<SourceIndex> unique =
                table.indexes().stream().filter(SourceIndex::isUnique).findFirst();
        if (unique.isPresent()) {
            String columns = unique.get().columns().stream()
                    .filter(column ->
                            !table.column(column).map(SourceColumn::isNotNull).orElse(true))
                    .map(column -> "ALTER COLUMN %s SET NOT NULL".formatted(SqlNames.quoted(column)))
                    .collect(Collectors.joining(", "));
            if (!columns.isEmpty()) {
                return Optional.of(
                        Obstacle.of(Effect.DEARER, what, "ALTER TABLE %s %s".formatted(name(table), columns)));
            }
        }
        // The primary key of a partitioned table must contain its partition columns, which are not known here.
        if (table.kind() == SourceTable.Kind.PARTITIONED_TABLE) return Optional.of(Obstacle.of(Effect.DEARER, what));
        String key = table.column("id").filter(SourceColumn::isOrdered).isPresent()
                ? "ADD PRIMARY KEY (\"id\")"
                : "ADD COLUMN %s bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
                        .formatted(SqlNames.quoted(table.column("id").isPresent() ? "row_id" : "id"));
        return Optional.of(Obstacle.of(Effect.DEARER, what, "ALTER TABLE %s %s".formatted(name(table), key)));
    }

    private static Optional<Obstacle> indexed(SourceTable table, SourceColumn updated) {
        String how = switch (table.kind()) {
            case TABLE, MATERIALIZED_VIEW -> "CREATE INDEX CONCURRENTLY";
            case PARTITIONED_TABLE -> "CREATE INDEX";
            case VIEW, FOREIGN_TABLE -> "";
        };
        if (how.isEmpty() || table.key().isMissing()) return Optional.empty();
        return Optional.of(Obstacle.of(
                Effect.DEARER,
                "\"%s\" looks like the time of the last change and has no index".formatted(updated.name()),
                "%s ON %s (%s)".formatted(how, name(table), SqlNames.quoted(updated.name()))));
    }

    private static String name(SourceTable table) {
        return SqlNames.quoted(table.id().schema()) + "."
                + SqlNames.quoted(table.id().name());
    }
}
