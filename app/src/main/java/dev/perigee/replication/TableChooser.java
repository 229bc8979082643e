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

/// Proposes how to copy tables of which nobody said how: in which mode, by which cursor column, and why.
///
/// What sees changed rows comes first. A column that looks like `updated_at` does, by an index or on a table that is
/// small enough to be sorted each time; else mode `xmin` does, for which the source looks through the whole table. What
/// has no key is fetched whole each time, and so are views whose rows do not say what wrote them. A column that shows
/// only new rows is named in the reason and never proposed.
public final class TableChooser {
    /// @param config how to copy it; empty where it cannot be copied without a person's help
    /// @param reason why so, in a sentence for people
    public record Choice(SourceTable table, Optional<TableConfig> config, String reason) {}

    /// Up to here sorting a table with each sync is cheap beside the rest.
    private static final long SMALL_ROWS = 1_000_000;

    private static final long SMALL_BYTES = 1L << 30;

    /// Names of columns that change with the row, without case and separators.
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

    /// A choice for each table, in the order given.
    ///
    /// @param defaultSchema the schema of tables named without one
    public static List<Choice> choose(List<SourceTable> tables, String defaultSchema) {
        TableChooser chooser = new TableChooser(defaultSchema);
        // Tables of the default schema get their plain names, whatever their place in the list.
        tables.stream()
                .filter(table -> table.id().schema().equals(defaultSchema))
                .forEach(table -> chooser.targets.add(lower(table.id().name())));
        return tables.stream().map(chooser::choose).toList();
    }

    /// By a cursor column, whatever it misses: for those who want this mode.
    ///
    /// @param table with the key that is to be used
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
        if (table.key().isEmpty()) {
            return with(
                    table,
                    List.of(full),
                    "all rows are fetched each time, since %s; nothing is missed".formatted(table.whyNoKey()));
        }
        boolean hasTransactions =
                table.kind() == SourceTable.Kind.TABLE || table.kind() == SourceTable.Kind.PARTITIONED_TABLE;
        Optional<SourceColumn> updated = updated(table);
        boolean isCheap = updated.flatMap(column -> indexOn(table, column)).isPresent()
                || (table.estimatedRows() < SMALL_ROWS && table.estimatedBytes() < SMALL_BYTES)
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

    /// The first of these configurations that the table can be copied by.
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

    /// The name of another table of the same name gets its schema before it.
    private Optional<String> target(SourceTable table) {
        String name = table.id().name();
        if (table.id().schema().equals(defaultSchema) || targets.add(lower(name))) return Optional.empty();
        String target = table.id().schema() + "_" + name;
        for (int i = 2; !targets.add(lower(target)); i++) target = table.id().schema() + "_" + name + "_" + i;
        return Optional.of(target);
    }

    private String name(SourceTable table) {
        String name = part(table.id().name());
        return table.id().schema().equals(defaultSchema)
                ? name
                : part(table.id().schema()) + "." + name;
    }

    private static String part(String name) {
        return name.contains(".") || name.contains("\"") ? SqlNames.quoted(name) : name;
    }

    /// A column that looks like the time of the last change, if one does.
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

    static Optional<SourceIndex> indexOn(SourceTable table, SourceColumn column) {
        return table.indexes().stream()
                .filter(index -> index.columns().getFirst().equals(column.name()))
                .findFirst();
    }

    private static Optional<SourceColumn> integerKey(SourceTable table) {
        if (table.key().size() != 1) return Optional.empty();
        return table.column(table.key().getFirst())
                .filter(column -> INTEGER.matcher(lower(column.sourceType())).matches());
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
