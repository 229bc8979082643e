package dev.perigee.source.postgres.catalog;

import dev.perigee.config.NameSuggestion;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Mask;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Tables as PostgreSQL's catalog has them now. Nothing is remembered between calls.
///
/// A partitioned table stands for its partitions, which can be described by name but are not discovered. Where the user
/// may select only some columns of a table, only those are described.
public final class PostgresCatalog {
    private static final int MOST_NEAR = 3;

    private PostgresCatalog() {}

    /// Every relation that the user may read outside the system schemas, sorted by schema and name.
    public static List<SourceTable> discover(Connection c) throws SQLException {
        return tables(c, CatalogRelations.readable(c)).stream()
                .sorted((a, b) -> a.id().compareTo(b.id()))
                .toList();
    }

    /// The table that an admin means by `name`; see [dev.perigee.source.Source#describe].
    ///
    /// @throws PerigeeException [Fault#SOURCE_TABLE_MISSING], [Fault#SOURCE_PERMISSION]
    public static SourceTable describe(Connection c, String name, String defaultSchema) throws SQLException {
        CatalogRelation relation = find(c, name, defaultSchema);
        if (!relation.isReadable()) throw notGranted(c, relation);
        return tables(c, List.of(relation)).getFirst();
    }

    /// As [#describe(Connection, String, String)], for many tables at once.
    ///
    /// @return in the order of `names`
    public static List<SourceTable> describe(Connection c, List<String> names, String defaultSchema)
            throws SQLException {
        List<TableId> spelled = names.stream()
                .flatMap(name -> spellings(name, defaultSchema).stream())
                .toList();
        Map<TableId, CatalogRelation> found = CatalogRelations.named(c, spelled);
        List<CatalogRelation> relations = new ArrayList<>();
        for (String name : names) {
            Optional<CatalogRelation> first = spellings(name, defaultSchema).stream()
                    .filter(found::containsKey)
                    .map(found::get)
                    .findFirst();
            CatalogRelation relation = first.isPresent() ? first.get() : find(c, name, defaultSchema);
            if (!relation.isReadable()) throw notGranted(c, relation);
            relations.add(relation);
        }
        return tables(c, relations);
    }

    /// The tables that a name may mean, best first; empty where it is no name of a table.
    private static List<TableId> spellings(String name, String defaultSchema) {
        return TableName.parse(name)
                .map(parsed -> parsed.schemas(defaultSchema).stream()
                        .flatMap(schema -> parsed.tables().stream().map(table -> new TableId(schema, table)))
                        .toList())
                .orElse(List.of());
    }

    /// The columns of `table` that the user may read, in the order of their numbers.
    ///
    /// @throws PerigeeException [Fault#SOURCE_TABLE_MISSING]
    public static List<CatalogColumn> columns(Connection c, TableId table) throws SQLException {
        CatalogRelation relation = CatalogRelations.named(c, table)
                .orElseThrow(() -> Fault.SOURCE_TABLE_MISSING.in(
                        table.toString(), "the source has no such table", "Nothing was read"));
        return CatalogColumns.of(c, List.of(relation.oid())).getOrDefault(relation.oid(), List.of());
    }

    /// As [#columns(Connection, TableId)], for many tables at once. A table that does not exist is not in the map.
    public static Map<TableId, List<CatalogColumn>> columns(Connection c, List<TableId> tables) throws SQLException {
        Map<Long, TableId> numbers = CatalogRelations.numbers(c, tables);
        Map<TableId, List<CatalogColumn>> columns = new HashMap<>();
        CatalogColumns.of(c, numbers.keySet()).forEach((oid, found) -> columns.put(numbers.get(oid), found));
        return columns;
    }

    private static PerigeeException notGranted(Connection c, CatalogRelation relation) throws SQLException {
        TableId id = relation.id();
        try (Statement statement = c.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_user::text")) {
            row.next();
            String user = row.getString(1);
            List<String> missing = new ArrayList<>();
            List<String> grants = new ArrayList<>();
            if (!relation.mayUseSchema()) {
                String schema = PostgresNames.name(id.schema());
                missing.add("USAGE on schema " + schema);
                grants.add("GRANT USAGE ON SCHEMA %s TO %s".formatted(schema, PostgresNames.name(user)));
            }
            if (!relation.maySelect()) {
                missing.add("SELECT on the table");
                grants.add("GRANT SELECT ON %s TO %s".formatted(PostgresNames.table(id), PostgresNames.name(user)));
            }
            return Fault.SOURCE_PERMISSION.in(
                    id.toString(),
                    "the source's user %s may not select from it (it needs %s)"
                            .formatted(user, String.join(" and ", missing)),
                    "Nothing was read",
                    "run at the source: " + String.join("; ", grants));
        }
    }

    private static CatalogRelation find(Connection c, String name, String defaultSchema) throws SQLException {
        Optional<TableName> parsed = TableName.parse(name);
        if (parsed.isEmpty()) {
            throw Fault.SOURCE_TABLE_MISSING.in(
                    "table " + name,
                    "expected `table` or `schema.table`, with parts that hold dots or double quotes quoted as in SQL",
                    "Nothing was read");
        }
        for (TableId spelled : spellings(name, defaultSchema)) {
            Optional<CatalogRelation> found = CatalogRelations.named(c, spelled);
            if (found.isPresent()) return found.get();
        }
        throw missing(c, name, parsed.get(), defaultSchema);
    }

    private static PerigeeException missing(Connection c, String name, TableName parsed, String defaultSchema)
            throws SQLException {
        List<TableId> near = near(c, parsed.tables());
        String hint = near.stream().limit(MOST_NEAR).map(TableId::toString).collect(Collectors.joining(" or "));
        return Fault.SOURCE_TABLE_MISSING.in(
                "table " + name,
                "the source has no such table in schema %s%s"
                        .formatted(
                                PostgresNames.name(parsed.schemas(defaultSchema).getFirst()),
                                hint.isEmpty() ? "" : "; did you mean " + hint + "?"),
                "Nothing was read");
    }

    /// Tables of the same name in other schemas, or else those with the nearest name.
    private static List<TableId> near(Connection c, List<String> spellings) throws SQLException {
        List<TableId> all = CatalogRelations.readable(c).stream()
                .map(CatalogRelation::id)
                .sorted()
                .toList();
        List<TableId> same =
                all.stream().filter(id -> spellings.contains(id.name())).toList();
        if (!same.isEmpty()) return same;
        Optional<String> nearest = NameSuggestion.of(
                spellings.getFirst(), all.stream().map(TableId::name).toList());
        return all.stream().filter(id -> nearest.equals(Optional.of(id.name()))).toList();
    }

    private static List<SourceTable> tables(Connection c, List<CatalogRelation> relations) throws SQLException {
        List<Long> oids = relations.stream().map(CatalogRelation::oid).toList();
        Map<Long, List<CatalogColumn>> columns = CatalogColumns.of(c, oids);
        Map<Long, List<CatalogIndex>> indexes = CatalogIndexes.of(c, oids);
        Map<Long, Map<Integer, Map<String, String>>> parts = CatalogParts.of(
                c,
                oids.stream()
                        .filter(oid -> columns.getOrDefault(oid, List.of()).stream()
                                .anyMatch(column -> CatalogParts.mayBe(column.type())))
                        .toList());
        CatalogParts.addComputed(c, oids, parts);
        Map<Long, Map<Integer, String>> unreadable = CatalogColumns.unreadable(c, oids);
        List<SourceTable> tables = new ArrayList<>();
        for (CatalogRelation relation : relations) {
            tables.add(table(
                    relation,
                    columns.getOrDefault(relation.oid(), List.of()),
                    indexes.getOrDefault(relation.oid(), List.of()),
                    parts.getOrDefault(relation.oid(), Map.of()),
                    unreadable.getOrDefault(relation.oid(), Map.of())));
        }
        return tables;
    }

    private static SourceTable table(
            CatalogRelation relation,
            List<CatalogColumn> columns,
            List<CatalogIndex> indexes,
            Map<Integer, Map<String, String>> parts,
            Map<Integer, String> unreadable) {
        return new SourceTable(
                relation.id(),
                relation.kind(),
                columns.stream().map(PostgresCatalog::column).toList(),
                CatalogKey.of(relation, columns, indexes),
                indexes.stream()
                        .filter(index -> index.isOrdered() && !index.isPrimary()) // the copy has its own primary key
                        .map(CatalogIndex::described)
                        .toList(),
                new SourceTable.Estimate(relation.estimatedRows(), relation.estimatedBytes()),
                parts,
                new SourceTable.Access(unreadable, false));
    }

    /// A column as it is described if its values are masked.
    public static SourceColumn described(CatalogColumn masked, Mask mask) {
        SourceColumn column = column(masked);
        return new SourceColumn(
                column.name(),
                column.identity(),
                column.sourceType(),
                column.values(),
                column.declaredType(),
                column.option(),
                false,
                false,
                false,
                Optional.of("masked: it has the value of " + mask.expression().text()));
    }

    private static SourceColumn column(CatalogColumn column) {
        return new SourceColumn(
                column.name(),
                column.number(),
                column.formattedType(),
                PostgresTypes.values(column.type()),
                PostgresTypes.declaredType(column.type()),
                PostgresTypes.option(column.type()),
                column.isNotNull(),
                column.type().isOrdered(),
                column.isStamped(),
                PostgresTypes.note(column));
    }
}
