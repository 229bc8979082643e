package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceIndex;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqlNames;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Proposes how to copy tables that have no settings yet: in which mode, by which cursor column, and why.
///
/// A mode that finds changed rows comes first. Mode `cursor` does so with a column that looks like `updated_at`. It is
/// proposed if that column has an index or the table is small enough to be sorted each time. Otherwise mode `xmin` is
/// proposed, for which the source reads the whole table each time. Tables without a key are fetched in full each time
/// (mode `full`). So are views and foreign tables without such a column, because their rows do not say which
/// transaction wrote them. A column that finds only new rows is named in the reason and never proposed.
public final class TableChooser {
    /// A proposal for one table.
    ///
    /// @param config how to copy the table; empty if it cannot be copied before somebody changes something
    /// @param reason the reason, for people, without a full stop
    public record Choice(SourceTable table, Optional<TableConfig> config, String reason) {}

    /// Below these limits, sorting the table in each sync costs little compared with the rest of the sync.
    private static final long SMALL_ROWS = 1_000_000;

    private static final long SMALL_BYTES = 1L << 30;

    /// Names of columns that are set at each change of a row, in lower case and without separators.
    private static final Set<String> UPDATED = Set.of(
            "updatedat",
            "updatedon",
            "updated",
            "updatetime",
            "updatedtime",
            "lastupdated",
            "lastupdate",
            "lastupdatedat",
            "modifiedat",
            "modifiedon",
            "modified",
            "modifytime",
            "modifiedtime",
            "lastmodified",
            "lastmodifiedat",
            "changedat",
            "lastchanged",
            "lastchangedat",
            "dateupdated",
            "datemodified",
            "mtime");

    private static final Set<String> CREATED = Set.of(
            "createdat", "createdon", "created", "insertedat", "createtime", "datecreated", "ctime", "occurredat");

    private static final Pattern TIME = Pattern.compile("(timestamp|datetime).*");
    private static final Pattern INTEGER = Pattern.compile("(smallint|integer|bigint|int2|int4|int8|int)");

    private final String defaultSchema;
    private final Set<String> targets = new HashSet<>();

    private TableChooser(String defaultSchema) {
        this.defaultSchema = defaultSchema;
    }

    /// Proposes settings for each table, in the order given.
    ///
    /// @param defaultSchema the schema of tables whose names have none
    public static List<Choice> choose(List<SourceTable> tables, String defaultSchema) {
        TableChooser chooser = new TableChooser(defaultSchema);
        // Tables of the default schema keep their plain names, wherever they are in the list.
        tables.stream()
                .filter(table -> table.id().schema().equals(defaultSchema))
                .forEach(table -> chooser.targets.add(lower(table.id().name())));
        return tables.stream().map(chooser::choose).toList();
    }

    /// Proposes mode `cursor` for one table, even if its best cursor column misses changed rows. For users who ask for
    /// this mode.
    ///
    /// @param table the table, with the key to use
    public static Choice cursor(SourceTable table, String defaultSchema) {
        TableChooser chooser = new TableChooser(defaultSchema);
        Optional<SourceColumn> updated = updated(table);
        Optional<SourceColumn> best = updated.or(() -> integerKey(table)).or(() -> column(table, CREATED, TIME));
        if (best.isEmpty())
            return new Choice(table, Optional.empty(), "no column is known to grow with inserts and updates");
        TableConfig config = TableConfig.of(chooser.name(table), best.get().name(), TableConfig.DEFAULT_INTERVAL);
        String reason = updated.isPresent()
                ? byUpdates(table, updated.get())
                : "\"%s\" grows with new rows; changed rows are missed"
                        .formatted(best.get().name());
        return chooser.with(table, List.of(config), reason);
    }

    private Choice choose(SourceTable table) {
        String name = name(table);
        TableConfig xmin = TableConfig.of(name, TableConfig.Mode.XMIN, TableConfig.DEFAULT_INTERVAL);
        TableConfig full = TableConfig.of(name, TableConfig.Mode.FULL, TableConfig.DEFAULT_INTERVAL);
        if (table.key().isMissing()) {
            return with(
                    table,
                    List.of(full),
                    "all rows are fetched each time, since %s; nothing is missed"
                            .formatted(table.key().whyMissing()));
        }
        boolean hasTransactions =
                table.kind() == SourceTable.Kind.TABLE || table.kind() == SourceTable.Kind.PARTITIONED_TABLE;
        Optional<SourceColumn> updated = updated(table);
        boolean isCheap = updated.flatMap(column -> indexOn(table, column)).isPresent()
                || (table.estimate().rows() < SMALL_ROWS && table.estimate().bytes() < SMALL_BYTES)
                || !hasTransactions;
        if (updated.isPresent() && isCheap) {
            TableConfig cursor = TableConfig.of(name, updated.get().name(), TableConfig.DEFAULT_INTERVAL);
            return with(table, List.of(cursor, xmin, full), byUpdates(table, updated.get()));
        }
        if (!hasTransactions) {
            return with(
                    table,
                    List.of(full),
                    "all rows are fetched each time, since rows of a view or a foreign table do not say what changed them; nothing is missed");
        }
        String why = updated.map(column -> "\"%s\" has no index, and the table is large".formatted(column.name()))
                .orElse("no column looks like the time of the last change");
        return with(
                table,
                List.of(xmin, full),
                "%s: the source looks through the table each time; rows deleted there are missed%s"
                        .formatted(why, cheaper(table)));
    }

    private static String byUpdates(SourceTable table, SourceColumn updated) {
        return "\"%s\" looks like the time of the last change and has %s; rows changed without it and rows deleted are missed"
                .formatted(
                        updated.name(),
                        indexOn(table, updated)
                                .map(index -> "the index \"%s\"".formatted(index.name()))
                                .orElse("no index, so each sync sorts the table"));
    }

    private static String cheaper(SourceTable table) {
        return integerKey(table)
                .or(() -> column(table, CREATED, TIME))
                .map(column -> " (`--cursor` with \"%s\" costs less where rows never change)".formatted(column.name()))
                .orElse("");
    }

    /// Chooses the first of these configurations with which the table can be copied.
    ///
    /// @param reason the reason for the first of them
    private Choice with(SourceTable table, List<TableConfig> configs, String reason) {
        Optional<String> target = target(table);
        String refusal = reason;
        for (int i = 0; i < configs.size(); i++) {
            TableConfig config = configs.get(i).toBuilder().target(target).build();
            try {
                CopyDefinition.of(config, table);
                String why =
                        i == 0 ? reason : "mode %s, since: %s".formatted(ConfigRecords.word(config.mode()), refusal);
                return new Choice(table, Optional.of(config), why);
            } catch (PerigeeException e) {
                if (i == 0 || i == configs.size() - 1) refusal = e.getMessage();
            }
        }
        return new Choice(table, Optional.empty(), refusal);
    }

    /// The copy's name, if it is not the table's own: the schema is put before a name that another table has taken.
    private Optional<String> target(SourceTable table) {
        String name = table.id().name();
        if (table.id().schema().equals(defaultSchema) || targets.add(lower(name))) return Optional.empty();
        String target = table.id().schema() + "_" + name;
        for (int i = 2; !targets.add(lower(target)); i++) target = table.id().schema() + "_" + name + "_" + i;
        return Optional.of(target);
    }

    /// The table's name as the configuration has it, with the schema unless it is the default one.
    private String name(SourceTable table) {
        String name = part(table.id().name());
        return table.id().schema().equals(defaultSchema)
                ? name
                : part(table.id().schema()) + "." + name;
    }

    private static String part(String name) {
        return name.contains(".") || name.contains("\"") ? SqlNames.quoted(name) : name;
    }

    /// The column that looks like the time of the last change, one with an index first; empty if none does.
    static Optional<SourceColumn> updated(SourceTable table) {
        return column(table, UPDATED, TIME);
    }

    private static Optional<SourceColumn> column(SourceTable table, Set<String> names, Pattern type) {
        List<SourceColumn> fitting = new ArrayList<>();
        for (SourceColumn column : table.columns()) {
            String plain = lower(column.name()).replaceAll("[_\\- ]", "");
            boolean fits = names.contains(plain)
                    && column.isOrdered()
                    && type.matcher(lower(column.sourceType())).matches();
            if (fits) fitting.add(column);
        }
        return fitting.stream()
                .filter(column -> indexOn(table, column).isPresent())
                .findFirst()
                .or(() -> fitting.stream().findFirst());
    }

    /// An index that begins with the column; empty if there is none.
    static Optional<SourceIndex> indexOn(SourceTable table, SourceColumn column) {
        return table.indexes().stream()
                .filter(index -> index.columns().getFirst().equals(column.name()))
                .findFirst();
    }

    private static Optional<SourceColumn> integerKey(SourceTable table) {
        if (table.key().columns().size() != 1) return Optional.empty();
        return table.column(table.key().columns().getFirst())
                .filter(column -> INTEGER.matcher(lower(column.sourceType())).matches());
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
