package dev.perigee.replication.drift;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.state.ColumnBackfill;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What the source changed about a table since its copy was made, by the identity of its columns, and how the copy
/// follows: it is altered where that is enough, and else replaced by one that is filled from the beginning.
///
/// @param changes in words; empty where the copy still fits
/// @param isRebuilt whether rows must be fetched again, since values, NULLs or keys may be others than the copy has
public record Drift(
        CopyDefinition made,
        CopyDefinition now,
        Map<CopyColumn, CopyColumn> same,
        List<CopyColumn> added,
        List<CopyColumn> dropped,
        List<String> changes,
        boolean isRebuilt) {
    private static final Logger LOG = LoggerFactory.getLogger(Drift.class);

    public static Drift between(CopyDefinition made, CopyDefinition now) {
        List<String> changes = new ArrayList<>();
        List<String> rebuilding = new ArrayList<>();
        Map<Integer, CopyColumn> before = new HashMap<>();
        made.columns().forEach(column -> before.put(column.identity(), column));
        Map<CopyColumn, CopyColumn> same = new HashMap<>();
        List<CopyColumn> added = new ArrayList<>();
        Map<String, String> names = new HashMap<>();
        for (CopyColumn column : now.columns()) {
            CopyColumn old = before.remove(column.identity());
            if (old == null) {
                added.add(column);
                changes.add("column \"%s\" was added".formatted(column.name()));
                continue;
            }
            same.put(old, column);
            names.put(old.name(), column.name());
            if (!old.name().equals(column.name())) {
                changes.add("column \"%s\" was renamed to \"%s\"".formatted(old.name(), column.name()));
            }
            compare(old, column, rebuilding);
        }
        List<CopyColumn> dropped = made.columns().stream()
                .filter(c -> before.containsKey(c.identity()))
                .toList();
        for (CopyColumn column : dropped) changes.add("column \"%s\" was dropped".formatted(column.name()));
        List<String> key =
                made.key().stream().map(name -> names.getOrDefault(name, name)).toList();
        if (!key.equals(now.key())) rebuilding.add("its key was %s and is %s".formatted(made.key(), now.key()));
        made.parts().forEach((identity, parts) -> {
            if (isRenamed(parts, now.parts().getOrDefault(identity, Map.of())))
                rebuilding.add(
                        identity == SourceTable.ALL_ROWS
                                ? "its definition, or that of a view, function or table that it reads through, was changed, and with it its rows"
                                : "names inside the type of column \"%s\", or what computes it, were changed, and with them its values"
                                        .formatted(nameOf(identity, now)));
        });
        if (!made.source().equals(now.source()))
            changes.add("it was %s and is %s".formatted(made.source(), now.source()));
        changes.addAll(rebuilding);
        return new Drift(made, now, same, added, dropped, changes, !rebuilding.isEmpty());
    }

    public boolean isNone() {
        return changes.isEmpty();
    }

    /// For people: all that changed.
    public String why() {
        return "since the copy was made, " + String.join("; ", changes);
    }

    /// Whether the copy can be altered and stay.
    boolean isAlterable(TableConfig config, SourceTable table) {
        CopyDefinition altered = altered(kept(config.droppedColumns()));
        boolean isNumbered = altered.rowid().isPresent();
        return !isRebuilt && isNumbered && (added.isEmpty() || ColumnBackfill.isPossible(config, table, altered));
    }

    /// Columns of the copy that the source no longer has, under names that no other column has.
    List<CopyColumn> kept(DroppedColumns choice) {
        List<CopyColumn> kept = new ArrayList<>();
        if (choice == DroppedColumns.DROP) return kept;
        List<CopyColumn> candidates = new ArrayList<>(made.known().kept());
        candidates.addAll(dropped);
        for (CopyColumn column : candidates) {
            String name = column.name();
            boolean isTaken = now.columns().stream().anyMatch(c -> c.name().equalsIgnoreCase(name));
            kept.add(new CopyColumn(
                    isTaken ? "%s_dropped_%d".formatted(name, column.identity()) : name,
                    column.identity(),
                    column.sourceType(),
                    column.declaredType(),
                    false,
                    column.note()));
        }
        return kept;
    }

    /// Alters the copy in the caller's transaction, all of it or nothing.
    ///
    /// @return whether that was possible; an index, a view or a trigger that somebody made may forbid it
    boolean apply(Transaction tx, String name, DroppedColumns choice) {
        tx.connection().exec("SAVEPOINT drift");
        try {
            alter(tx, name, choice);
            tx.connection().exec("RELEASE drift");
            LOG.info("table {}: the copy follows the source: {}", name, why());
            return true;
        } catch (SqliteException e) {
            LOG.info("table {}: the copy is made anew, because it could not be altered: {}", name, e.getMessage());
            tx.connection().exec("ROLLBACK TO drift");
            tx.connection().exec("RELEASE drift");
            return false;
        }
    }

    private void alter(Transaction tx, String name, DroppedColumns choice) {
        String copy = made.target();
        List<CopyColumn> kept = kept(choice);
        // First, since another column may have been given the name.
        if (choice == DroppedColumns.DROP) {
            tx.altering(copy);
            List<CopyColumn> leaving = new ArrayList<>(made.known().kept());
            leaving.addAll(dropped);
            for (CopyColumn column : leaving) {
                CopyTable.dropIndexesOn(tx, copy, column.name());
                tx.connection().exec("ALTER TABLE %s DROP COLUMN %s".formatted(quoted(copy), quoted(column.name())));
            }
        }
        rename(tx, copy, renames(kept));
        // What is new may be NULL in the rows that are there, whatever the source says.
        for (CopyColumn column : added) {
            tx.connection()
                    .exec("ALTER TABLE %s ADD COLUMN %s %s"
                            .formatted(quoted(copy), quoted(column.name()), CopyTable.plainType(column)));
        }
        CopyDefinition altered = altered(kept);
        boolean mustTakeNull = choice == DroppedColumns.KEEP && dropped.stream().anyMatch(CopyColumn::notNull);
        if (mustTakeNull) CopyTable.remake(tx, altered);
        StateRecords.redefined(tx, name, altered);
        backfill(tx, name, altered);
    }

    private void backfill(Transaction tx, String name, CopyDefinition altered) {
        Optional<ColumnBackfill> open = DriftRecords.find(tx, name).backfill();
        List<String> columns = new ArrayList<>();
        // Those that were not whole yet stay so, under the names they have now.
        for (String old : open.map(ColumnBackfill::columns).orElse(List.of())) {
            same.forEach((before, after) -> {
                if (before.name().equals(old)) columns.add(after.name());
            });
        }
        if (added.isEmpty()) {
            DriftRecords.backfill(
                    tx,
                    name,
                    open.filter(_ -> !columns.isEmpty())
                            .map(b -> new ColumnBackfill(columns, b.after(), b.upTo(), b.rows())));
            return;
        }
        added.forEach(column -> columns.add(column.name()));
        ColumnBackfill begun = ColumnBackfill.of(tx, altered, columns);
        DriftRecords.backfill(tx, name, begun.isDone() ? Optional.empty() : Optional.of(begun));
    }

    private Map<String, String> renames(List<CopyColumn> kept) {
        Map<String, String> renames = new HashMap<>();
        same.forEach((old, column) -> renames.put(old.name(), column.name()));
        List<CopyColumn> before = new ArrayList<>(made.known().kept());
        before.addAll(dropped);
        for (CopyColumn old : before) {
            kept.stream()
                    .filter(column -> column.identity() == old.identity())
                    .forEach(column -> renames.put(old.name(), column.name()));
        }
        renames.entrySet().removeIf(rename -> rename.getKey().equals(rename.getValue()));
        return renames;
    }

    /// By way of names nobody has, since two columns may have changed theirs with each other.
    private static void rename(Transaction tx, String copy, Map<String, String> renames) {
        Map<String, String> between = new HashMap<>();
        for (String old : renames.keySet()) {
            String free = "tmp_renamed_%d".formatted(between.size());
            between.put(free, old);
            renameColumn(tx, copy, old, free);
        }
        between.forEach((free, old) -> renameColumn(tx, copy, free, String.valueOf(renames.get(old))));
    }

    private static void renameColumn(Transaction tx, String copy, String from, String to) {
        tx.connection().exec("ALTER TABLE %s RENAME COLUMN %s TO %s".formatted(quoted(copy), quoted(from), quoted(to)));
    }

    /// As the copy is then: a column that became NOT NULL at the source still takes NULL here.
    private CopyDefinition altered(List<CopyColumn> kept) {
        Map<Integer, Boolean> notNull = new HashMap<>();
        same.keySet().forEach(old -> notNull.put(old.identity(), old.notNull()));
        List<CopyColumn> columns = now.columns().stream()
                .map(c -> new CopyColumn(
                        c.name(),
                        c.identity(),
                        c.sourceType(),
                        c.declaredType(),
                        notNull.getOrDefault(c.identity(), false),
                        c.note()))
                .toList();
        return new CopyDefinition(
                now.source(),
                now.target(),
                columns,
                now.key(),
                now.cursorColumn(),
                now.choices(),
                now.known().keeping(kept),
                now.parts());
    }

    /// Whether values that are there may read otherwise. A label or an object that came since is in none of them; one
    /// that is gone may have been replaced, by another type of the same name. What a `regclass` and its kin name may be
    /// dropped, and mostly is in no row.
    private static boolean isRenamed(Map<String, String> before, Map<String, String> now) {
        return before.entrySet().stream().anyMatch(part -> {
            String name = now.get(part.getKey());
            return name == null ? !part.getKey().startsWith("r") : !name.equals(part.getValue());
        });
    }

    private static String nameOf(int identity, CopyDefinition definition) {
        return definition.columns().stream()
                .filter(column -> column.identity() == identity)
                .map(CopyColumn::name)
                .findFirst()
                .or(definition::cursorColumn)
                .orElse("");
    }

    private static void compare(CopyColumn old, CopyColumn now, List<String> rebuilding) {
        if (!old.sourceType().equals(now.sourceType()) || !old.declaredType().equals(now.declaredType())) {
            rebuilding.add("column \"%s\" was %s and is %s".formatted(now.name(), old.sourceType(), now.sourceType()));
        }
        if (old.notNull() && !now.notNull()) rebuilding.add("column \"%s\" may be NULL now".formatted(now.name()));
    }
}
