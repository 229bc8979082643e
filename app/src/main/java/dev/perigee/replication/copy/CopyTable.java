package dev.perigee.replication.copy;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.source.SourceIndex;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Creates, swaps and drops the SQLite tables of copies. All methods run in the caller's transaction.
///
/// A copy is a rowid table, because tools page by rowid. Where the key is a single integer, it is the rowid
/// (`INTEGER PRIMARY KEY`).
public final class CopyTable {
    private static final Logger LOG = LoggerFactory.getLogger(CopyTable.class);
    private static final String INDEX_PREFIX = "perigee_";
    private static final String REMADE_PREFIX = "tmp_replication_remade_";

    private CopyTable() {}

    /// Creates the table `name` with the columns and the key of `definition`.
    public static void create(Transaction tx, CopyDefinition definition, String name) {
        tx.connection().exec("CREATE TABLE %s (%s)".formatted(quoted(name), body(definition)));
    }

    public static void drop(Transaction tx, String name) {
        tx.connection().exec("DROP TABLE IF EXISTS " + quoted(name));
    }

    /// The type of the object that already has this name in the replica, such as `table` or `view`. The case of the
    /// name is ignored, as SQLite does.
    public static Optional<String> existing(Transaction tx, String name) {
        SqliteStatement find = tx.statement("SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE");
        try {
            find.bindText(1, name);
            return find.step() ? Optional.ofNullable(find.textAt(0)) : Optional.empty();
        } finally {
            find.reset(); // while a statement still has rows to return, no table can be dropped
        }
    }

    /// Replaces the table `old` by the table `shadow`, which is renamed to `target`. Indexes and triggers that others
    /// created on `old` are created again if the name stays the same and they still fit.
    public static void swap(Transaction tx, String shadow, String old, String target) {
        List<String> theirs = addedByOthers(tx, old);
        drop(tx, old);
        // Between DROP and RENAME no table has the copy's name. With the current rules of ALTER TABLE, a view that
        // reads the copy would make RENAME fail. So this one statement runs with `legacy_alter_table`.
        tx.connection().exec("PRAGMA legacy_alter_table = ON");
        try {
            tx.connection().exec("ALTER TABLE %s RENAME TO %s".formatted(quoted(shadow), quoted(target)));
        } finally {
            tx.connection().exec("PRAGMA legacy_alter_table = OFF");
        }
        if (old.equals(target)) theirs.forEach(sql -> makeAgain(tx, sql));
    }

    /// Rebuilds the copy as `definition` says, from the rows and columns it has. Nothing is fetched from the source.
    public static void remake(Transaction tx, CopyDefinition definition) {
        String copy = definition.target();
        String remade = REMADE_PREFIX + copy;
        drop(tx, remade);
        create(tx, definition, remade);
        List<String> columns = new ArrayList<>(definition.columnNames());
        definition.known().kept().forEach(kept -> columns.add(kept.name()));
        String rowid = isRowid(definition) ? "" : definition.rowid().orElseThrow() + ", ";
        String names = rowid + quoted(columns);
        tx.connection()
                .exec("INSERT INTO %s (%s) SELECT %s FROM %s".formatted(quoted(remade), names, names, quoted(copy)));
        swap(tx, remade, copy, copy);
    }

    /// The type that a column is declared with when it is not part of the key.
    public static String plainType(CopyColumn column) {
        return type(column, true);
    }

    /// Copies the values of columns that the source has dropped from the old copy into the shadow that will replace it.
    /// Does nothing where the two have no key, or different keys, because rows could not be matched.
    public static void carryOver(Transaction tx, String shadow, CopyDefinition old, CopyDefinition now) {
        Set<Integer> dropped = new HashSet<>();
        now.known().kept().forEach(kept -> dropped.add(kept.identity()));
        List<CopyColumn> there = new ArrayList<>(old.known().kept());
        there.addAll(old.columns());
        there.removeIf(column -> !dropped.contains(column.identity()));
        List<Integer> oldKey = identities(old);
        if (there.isEmpty() || oldKey.isEmpty() || !oldKey.equals(identities(now))) return;
        List<String> same = new ArrayList<>();
        for (int i = 0; i < oldKey.size(); i++) {
            same.add("s.%s = o.%s"
                    .formatted(quoted(now.key().get(i)), quoted(old.key().get(i))));
        }
        List<String> into = new ArrayList<>();
        for (CopyColumn column : there) {
            now.known().kept().stream()
                    .filter(kept -> kept.identity() == column.identity())
                    .forEach(kept -> into.add(quoted(kept.name()) + " = o." + quoted(column.name())));
        }
        tx.connection()
                .exec("UPDATE %s AS s SET %s FROM %s AS o WHERE %s"
                        .formatted(
                                quoted(shadow),
                                String.join(", ", into),
                                quoted(old.target()),
                                String.join(" AND ", same)));
    }

    private static List<Integer> identities(CopyDefinition definition) {
        return definition.key().stream()
                .flatMap(name -> definition.columns().stream()
                        .filter(c -> c.name().equals(name))
                        .map(CopyColumn::identity))
                .toList();
    }

    /// The source's indexes that the copy can have: those with copied columns only, except one on the key itself. None
    /// of them is unique, because a page may contain a combination of rows that the source never had at one time. The
    /// generation in the index names keeps a shadow's indexes apart from those of the old copy.
    public static List<Index> indexes(CopyDefinition definition, List<SourceIndex> source, long generation) {
        Set<String> copied = new HashSet<>(definition.columnNames());
        List<Index> indexes = new ArrayList<>();
        for (SourceIndex index : source) {
            if (!copied.containsAll(index.columns()) || index.columns().equals(definition.key())) continue;
            indexes.add(new Index(
                    INDEX_PREFIX + "%d_%s_%s".formatted(generation, definition.target(), index.name()),
                    index.columns()));
        }
        return indexes;
    }

    /// @param name its name in the replica, where the indexes of all tables share one namespace
    public record Index(String name, List<String> columns) {
        public void create(Transaction tx, String table) {
            tx.connection()
                    .exec("CREATE INDEX IF NOT EXISTS %s ON %s (%s)"
                            .formatted(quoted(name), quoted(table), quoted(columns)));
        }
    }

    /// Drops the indexes that [#indexes] created on this column. SQLite refuses to drop an indexed column.
    public static void dropIndexesOn(Transaction tx, String copy, String column) {
        SqliteStatement find = tx.statement("""
                SELECT DISTINCT s.name FROM sqlite_schema s, pragma_index_info(s.name) i
                WHERE s.type = 'index' AND s.sql IS NOT NULL AND s.tbl_name = ?1 COLLATE NOCASE
                  AND i.name = ?2 COLLATE NOCASE""");
        find.bindText(1, copy).bindText(2, column);
        List<String> names = new ArrayList<>();
        while (find.step()) names.add(String.valueOf(find.textAt(0)));
        names.stream()
                .filter(name -> name.startsWith(INDEX_PREFIX))
                .forEach(name -> tx.connection().exec("DROP INDEX " + quoted(name)));
    }

    private static List<String> addedByOthers(Transaction tx, String table) {
        SqliteStatement added = tx.statement("""
                SELECT name, sql FROM sqlite_schema
                WHERE tbl_name = ?1 COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL""");
        added.bindText(1, table);
        List<String> statements = new ArrayList<>();
        while (added.step()) {
            String sql = added.textAt(1);
            if (sql != null && !String.valueOf(added.textAt(0)).startsWith(INDEX_PREFIX)) statements.add(sql);
        }
        return statements;
    }

    private static void makeAgain(Transaction tx, String sql) {
        tx.connection().exec("SAVEPOINT make_again");
        try {
            tx.connection().exec(sql);
        } catch (SqliteException e) {
            LOG.warn("this index or trigger no longer fits the copy and was dropped: {} ({})", sql, e.getMessage());
            tx.connection().exec("ROLLBACK TO make_again");
        }
        tx.connection().exec("RELEASE make_again");
    }

    private static String body(CopyDefinition definition) {
        boolean isRowid = isRowid(definition);
        Set<String> key = new HashSet<>(definition.key());
        List<String> parts = new ArrayList<>();
        for (CopyColumn column : definition.columns()) {
            boolean isKey = key.contains(column.name());
            StringBuilder part = new StringBuilder(quoted(column.name()));
            String type = type(column, isKey && !isRowid);
            if (!type.isEmpty()) part.append(' ').append(type);
            if (isKey && isRowid) part.append(" PRIMARY KEY");
            if (column.notNull() || isKey) part.append(" NOT NULL");
            parts.add(part.toString());
        }
        for (CopyColumn column : definition.known().kept()) {
            parts.add((quoted(column.name()) + ' ' + type(column, true)).strip());
        }
        if (!isRowid && !definition.key().isEmpty()) parts.add("PRIMARY KEY (" + quoted(definition.key()) + ")");
        return String.join(", ", parts);
    }

    /// `INTEGER PRIMARY KEY` takes NULL as "choose a number", so only a column that is never NULL may become the rowid.
    public static boolean isRowid(CopyDefinition definition) {
        return definition.key().size() == 1
                && definition.columns().stream()
                        .anyMatch(c -> c.name().equals(definition.key().getFirst())
                                && c.declaredType().equals("INTEGER")
                                && c.notNull());
    }

    /// A column declared `INT` has INTEGER affinity like one declared `INTEGER`, and never becomes the rowid.
    private static String type(CopyColumn column, boolean mustNotBeRowid) {
        return mustNotBeRowid && column.declaredType().equals("INTEGER") ? "INT" : column.declaredType();
    }
}
