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

/// The differences between the definition that a copy was made from and the source's definition now. Columns are
/// matched by their identity (`attnum`). The copy is altered where that is enough, and otherwise replaced by one that
/// is filled from the beginning.
///
/// @param same the columns that both definitions have, as the copy has them and as they are now
/// @param added columns that only the source has
/// @param dropped columns that only the copy has
/// @param changes the differences in words; empty where there are none
/// @param isRebuilt whether all rows must be fetched again, because values, NULLs or keys may differ from the copy's
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
                                ? "its definition, or that of a view, function or table that it reads through, was changed, so its rows may differ"
                                : "names inside the type of column \"%s\", or the expression that computes it, were changed, so its values may differ"
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

    /// For people: all differences in one clause.
    public String why() {
        return "since the copy was made, " + String.join("; ", changes);
    }

    /// Whether the copy can be altered, and need not be replaced.
    boolean isAlterable(TableConfig config, SourceTable table) {
        CopyDefinition altered = altered(kept(config.droppedColumns()));
        boolean isNumbered = altered.rowid().isPresent();
        return !isRebuilt && isNumbered && (added.isEmpty() || ColumnBackfill.isPossible(config, table, altered));
    }

    /// The columns that the copy keeps although the source dropped them, renamed where another column has taken the
    /// name. Empty with [DroppedColumns#DROP].
    List<CopyColumn> kept(DroppedColumns choice) {
        List<CopyColumn> kept = new ArrayList<>();
        if (choice == DroppedColumns.DROP) return kept;
        List<CopyColumn> candidates = new ArrayList<>(made.known().kept());
        candidates.addAll(dropped);
        for (CopyColumn column : candidates) {
            String name = column.name();
            boolean isTaken = now.columns().stream().anyMatch(c -> c.name().equalsIgnoreCase(name));
            kept.add(column.withName(isTaken ? "%s_dropped_%d".formatted(name, column.identity()) : name)
                    .withNotNull(false));
        }
        return kept;
    }

    /// Alters the copy in the caller's transaction, completely or not at all.
    ///
    /// @return false where SQLite refused and nothing was changed: an index, a view or a trigger that somebody made may
    ///     forbid it
    boolean apply(Transaction tx, String name, DroppedColumns choice) {
        tx.connection().exec("SAVEPOINT drift");
        try {
            alter(tx, name, choice);
            tx.connection().exec("RELEASE drift");
            LOG.info("table {}: the copy was altered as its source was: {}", name, why());
            return true;
        } catch (SqliteException e) {
            LOG.info("table {}: the copy is rebuilt, because it could not be altered: {}", name, e.getMessage());
            tx.connection().exec("ROLLBACK TO drift");
            tx.connection().exec("RELEASE drift");
            return false;
        }
    }

    private void alter(Transaction tx, String name, DroppedColumns choice) {
        String copy = made.target();
        List<CopyColumn> kept = kept(choice);
        // Columns are dropped first, because another column may have taken over the name.
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
        // A new column is NULL in existing rows until they are filled, even if it is NOT NULL at the source.
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
        // Columns that an earlier backfill has not filled yet stay in it, under their new names.
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

    /// Renames in two steps, by way of names that no column has, because columns may have swapped their names.
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

    /// The definition of the copy after it was altered. A column that became NOT NULL at the source may still be NULL
    /// in the copy. The copy still has the rows of the slice that it was made for.
    private CopyDefinition altered(List<CopyColumn> kept) {
        Map<Integer, Boolean> notNull = new HashMap<>();
        same.keySet().forEach(old -> notNull.put(old.identity(), old.notNull()));
        List<CopyColumn> columns = now.columns().stream()
                .map(c -> c.withNotNull(notNull.getOrDefault(c.identity(), false)))
                .toList();
        return now.withColumns(columns, kept).slicedAs(made);
    }

    /// Whether values that the copy has may read differently at the source now. A name that was added since is in none
    /// of them. An enum label or attribute that is gone may have been replaced, by another type of the same name. An
    /// object named by a `regclass` or a similar type (`r…`) that is gone was dropped, and usually no row mentions it.
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
