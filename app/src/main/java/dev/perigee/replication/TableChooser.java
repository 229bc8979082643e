package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceIndex;
import dev.perigee.source.SourceTable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Proposes how to copy the tables of a source of which nobody said how: by which cursor column, and why.
///
/// A column that looks like `updated_at` and has an index comes first, because new and changed rows are seen by it. A
/// single integer key comes next: it grows with every insert, so new rows are seen, and changed ones are not. What is
/// neither is left to a person, except that a time column without an index is better than nothing.
public final class TableChooser {
    /// @param config how to copy it; empty where it cannot be copied without a person's help
    /// @param reason why so, in a sentence for people
    public record Choice(SourceTable table, Optional<TableConfig> config, String reason) {}

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

    private Choice choose(SourceTable table) {
        if (table.key().isEmpty()) {
            return new Choice(
                    table,
                    Optional.empty(),
                    "it has no primary key and no unique index without NULLs; name the columns that identify a row");
        }
        Optional<SourceColumn> updated = column(table, UPDATED, TIME);
        Optional<SourceIndex> index = updated.flatMap(column -> indexOn(table, column));
        if (updated.isPresent() && index.isPresent()) {
            return with(
                    table,
                    updated.get(),
                    "\"%s\" looks like the time of the last change and has the index \"%s\""
                            .formatted(updated.get().name(), index.get().name()));
        }
        Optional<SourceColumn> key = integerKey(table);
        if (key.isPresent()) {
            return with(
                    table,
                    key.get(),
                    "the key \"%s\" ascends: new rows are seen, changed rows are not%s"
                            .formatted(
                                    key.get().name(),
                                    updated.map(TableChooser::unindexed).orElse("")));
        }
        if (updated.isPresent()) {
            return with(
                    table,
                    updated.get(),
                    "\"%s\" looks like the time of the last change; it has no index, so each sync sorts the whole table"
                            .formatted(updated.get().name()));
        }
        Optional<SourceColumn> created = column(table, CREATED, TIME);
        if (created.isPresent()) {
            return with(
                    table,
                    created.get(),
                    "\"%s\" looks like the time a row was made: new rows are seen, changed rows are not"
                            .formatted(created.get().name()));
        }
        return new Choice(
                table, Optional.empty(), "no column is known to grow with inserts and updates; name one as its cursor");
    }

    private Choice with(SourceTable table, SourceColumn cursor, String reason) {
        TableConfig config = TableConfig.of(name(table), cursor.name(), TableConfig.DEFAULT_INTERVAL).toBuilder()
                .target(target(table))
                .build();
        try {
            CopyDefinition.of(config, table);
            return new Choice(table, Optional.of(config), reason);
        } catch (PerigeeException e) {
            return new Choice(table, Optional.empty(), e.getMessage());
        }
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
        return name.contains(".") || name.contains("\"") ? Identifiers.quoted(name) : name;
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

    private static Optional<SourceIndex> indexOn(SourceTable table, SourceColumn column) {
        return table.indexes().stream()
                .filter(index -> index.columns().getFirst().equals(column.name()))
                .findFirst();
    }

    private static Optional<SourceColumn> integerKey(SourceTable table) {
        if (table.key().size() != 1) return Optional.empty();
        return table.column(table.key().getFirst())
                .filter(column -> INTEGER.matcher(lower(column.sourceType())).matches());
    }

    private static String unindexed(SourceColumn column) {
        return " (\"%s\" would show them, but has no index)".formatted(column.name());
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
