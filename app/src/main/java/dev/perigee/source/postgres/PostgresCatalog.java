package dev.perigee.source.postgres;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceIndex;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceTable.Kind;
import dev.perigee.source.TableId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads `pg_catalog` of PostgreSQL 13 to 18: tables, their columns with domains followed to the types below them,
/// their indexes and keys. Names are compared there as values, never pasted into a statement.
final class PostgresCatalog {
    /// Relations a user may choose; partitions are left out, because the partitioned table has their rows.
    private static final String RELATIONS = """
            SELECT c.oid, n.nspname, c.relname, c.relkind,
                CASE WHEN c.relkind = 'p'
                    THEN (SELECT coalesce(sum(greatest(p.reltuples, 0)), -1)::int8
                          FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class p ON p.oid = t.relid
                          WHERE t.isleaf)
                    WHEN c.relkind IN ('r', 'm') THEN c.reltuples::int8 ELSE -1 END AS estimated_rows,
                CASE WHEN c.relkind = 'p'
                    THEN (SELECT coalesce(sum(pg_catalog.pg_total_relation_size(t.relid)), -1)::int8
                          FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf)
                    WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_total_relation_size(c.oid) ELSE -1 END AS bytes,
                pg_catalog.has_table_privilege(c.oid, 'SELECT')
                    AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS is_readable
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND %s
            ORDER BY n.nspname, c.relname""";

    private static final String ALL = """
            NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'""";

    private static final String NAMED = "n.nspname = ANY (?) AND c.relname = ANY (?)";

    /// Domains are followed by recursion; a column's own modifier counts before a domain's. Whether values have an
    /// order is whether there is a default B-tree operator class with a `>` for the type, for one it is stored like
    /// (`varchar` is
    /// stored like `text`), or for the family of types it is of.
    private static final String COLUMNS = """
            WITH RECURSIVE base(relation, number, type, modifier) AS (
                SELECT attrelid, attnum, atttypid, atttypmod FROM pg_catalog.pg_attribute
                WHERE attrelid = ANY (?) AND attnum > 0 AND NOT attisdropped
                UNION ALL
                SELECT b.relation, b.number, t.typbasetype, CASE WHEN b.modifier >= 0 THEN b.modifier ELSE t.typtypmod END
                FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd')
            SELECT a.attrelid, a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
                t.oid AS type, n.nspname, t.typname, t.typtype, t.typcategory, b.modifier,
                EXISTS (
                    SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
                        JOIN pg_catalog.pg_amop p ON p.amopfamily = o.opcfamily AND p.amopstrategy = 5
                            AND p.amoplefttype = o.opcintype AND p.amoprighttype = o.opcintype
                        JOIN pg_catalog.pg_operator x ON x.oid = p.amopopr AND x.oprname = '>'
                    WHERE m.amname = 'btree' AND o.opcdefault AND (
                        o.opcintype = t.oid
                        OR (t.typtype = 'e' AND o.opcintype = 'pg_catalog.anyenum'::regtype)
                        OR (t.typtype = 'r' AND o.opcintype = 'pg_catalog.anyrange'::regtype)
                        OR (t.typtype = 'm' AND o.opcname = 'multirange_ops')
                        OR (t.typtype = 'c' AND o.opcintype = 'pg_catalog.record'::regtype)
                        OR (t.typcategory = 'A' AND t.typelem <> 0 AND o.opcintype = 'pg_catalog.anyarray'::regtype)
                        OR EXISTS (
                            SELECT FROM pg_catalog.pg_cast k
                            WHERE k.castsource = t.oid AND k.casttarget = o.opcintype
                                AND k.castmethod = 'b' AND k.castcontext = 'i'))) AS is_ordered
            FROM base b
                JOIN pg_catalog.pg_attribute a ON a.attrelid = b.relation AND a.attnum = b.number
                JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
                JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
            ORDER BY a.attrelid, a.attnum""";

    /// Indexes over plain columns that are whole, valid and checked at once; `INCLUDE` columns are left out.
    private static final String INDEXES = """
            SELECT i.indrelid, c.relname, i.indisunique, i.indisprimary,
                ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
                      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                      WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns,
                (SELECT bool_and(a.attnotnull) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                    WHERE k.place <= i.indnkeyatts) AS without_nulls,
                i.indimmediate AS is_immediate
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = ANY (?) AND i.indexprs IS NULL AND i.indpred IS NULL AND i.indisvalid
            ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, c.relname""";

    /// A row of [#RELATIONS].
    private record Relation(long oid, TableId id, Kind kind, long rows, long bytes, boolean isReadable) {}

    private record Key(List<String> columns, String origin) {
        static final Key NONE = new Key(List.of(), "none");
    }

    private PostgresCatalog() {}

    /// All that the user may read, sorted by name, without the system's.
    static List<SourceTable> discover(Connection connection) throws SQLException {
        List<Relation> readable =
                relations(connection, ALL).stream().filter(Relation::isReadable).toList();
        return tables(connection, readable);
    }

    /// @throws PerigeeException [Fault#SOURCE_TABLE_MISSING], [Fault#SOURCE_PERMISSION]
    static SourceTable describe(Connection connection, String name, String defaultSchema) throws SQLException {
        TableName wanted =
                TableName.parse(name).orElseThrow(() -> missing(name, "that is not `table` or `schema.table`"));
        List<String> schemas = wanted.schema().map(TableName.Part::candidates).orElse(List.of(defaultSchema));
        List<String> tables = wanted.table().candidates();
        List<Relation> found = relations(connection, NAMED, schemas, tables);
        for (String schema : schemas) {
            for (String table : tables) {
                for (Relation relation : found) {
                    if (!relation.id().equals(new TableId(schema, table))) continue;
                    if (!relation.isReadable()) throw unreadable(relation.id());
                    return tables(connection, List.of(relation)).getFirst();
                }
            }
        }
        throw missing(
                name,
                "the source has no such table in %s%s".formatted(schemas.getFirst(), elsewhere(connection, tables)));
    }

    /// The columns as they are now, in the catalog's order.
    static List<CatalogColumn> columns(Connection connection, TableId table) throws SQLException {
        List<Relation> found = relations(connection, NAMED, List.of(table.schema()), List.of(table.name()));
        if (found.isEmpty()) throw missing(table.toString(), "it is gone");
        long oid = found.getFirst().oid();
        return columns(connection, List.of(oid)).getOrDefault(oid, List.of());
    }

    private static List<Relation> relations(Connection connection, String condition, List<?>... parameters)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(RELATIONS.formatted(condition))) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setArray(i + 1, connection.createArrayOf("text", parameters[i].toArray()));
            }
            List<Relation> relations = new ArrayList<>();
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    relations.add(new Relation(
                            row.getLong("oid"),
                            new TableId(row.getString("nspname"), row.getString("relname")),
                            kind(row.getString("relkind")),
                            row.getLong("estimated_rows"),
                            row.getLong("bytes"),
                            row.getBoolean("is_readable")));
                }
            }
            return relations;
        }
    }

    private static List<SourceTable> tables(Connection connection, List<Relation> relations) throws SQLException {
        List<Long> oids = relations.stream().map(Relation::oid).toList();
        Map<Long, List<CatalogColumn>> columns = columns(connection, oids);
        Map<Long, List<SourceIndex>> indexes = new HashMap<>();
        Map<Long, Key> keys = new HashMap<>();
        readIndexes(connection, oids, indexes, keys);
        return relations.stream()
                .map(relation -> {
                    Key key = keys.getOrDefault(relation.oid(), Key.NONE);
                    return new SourceTable(
                            relation.id(),
                            relation.kind(),
                            columns.getOrDefault(relation.oid(), List.of()).stream()
                                    .map(PostgresCatalog::sourceColumn)
                                    .toList(),
                            key.columns(),
                            key.origin(),
                            indexes.getOrDefault(relation.oid(), List.of()),
                            relation.rows(),
                            relation.bytes());
                })
                .toList();
    }

    private static Map<Long, List<CatalogColumn>> columns(Connection connection, List<Long> relations)
            throws SQLException {
        Map<Long, List<CatalogColumn>> columns = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setArray(1, oids(connection, relations));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    PostgresType type = new PostgresType(
                            row.getLong("type"),
                            row.getString("nspname"),
                            row.getString("typname"),
                            row.getString("typtype").charAt(0),
                            row.getString("typcategory").charAt(0),
                            row.getInt("modifier"),
                            row.getBoolean("is_ordered"));
                    columns.computeIfAbsent(row.getLong("attrelid"), _ -> new ArrayList<>())
                            .add(new CatalogColumn(
                                    row.getString("attname"),
                                    row.getInt("attnum"),
                                    row.getString("format_type"),
                                    type,
                                    row.getBoolean("attnotnull")));
                }
            }
        }
        return columns;
    }

    private static void readIndexes(
            Connection connection, List<Long> relations, Map<Long, List<SourceIndex>> indexes, Map<Long, Key> keys)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(INDEXES)) {
            statement.setArray(1, oids(connection, relations));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    long relation = row.getLong("indrelid");
                    String name = row.getString("relname");
                    List<String> columns = strings(row.getArray("columns"));
                    boolean isUnique = row.getBoolean("indisunique");
                    if (row.getBoolean("indisprimary")) {
                        keys.put(relation, new Key(columns, "primary key"));
                        continue; // the copy has its own
                    }
                    indexes.computeIfAbsent(relation, _ -> new ArrayList<>())
                            .add(new SourceIndex(name, columns, isUnique));
                    if (isUnique && row.getBoolean("without_nulls") && row.getBoolean("is_immediate")) {
                        keys.putIfAbsent(relation, new Key(columns, "unique index \"%s\"".formatted(name)));
                    }
                }
            }
        }
    }

    private static SourceColumn sourceColumn(CatalogColumn column) {
        return new SourceColumn(
                column.name(),
                column.number(),
                column.formattedType(),
                PostgresTypes.declaredType(column.type()),
                PostgresTypes.option(column.type()),
                column.isNotNull(),
                column.type().isOrdered(),
                PostgresTypes.note(column));
    }

    private static Kind kind(String relkind) {
        return switch (relkind) {
            case "r" -> Kind.TABLE;
            case "p" -> Kind.PARTITIONED_TABLE;
            case "v" -> Kind.VIEW;
            case "m" -> Kind.MATERIALIZED_VIEW;
            case "f" -> Kind.FOREIGN_TABLE;
            default -> throw new IllegalStateException("relkind " + relkind);
        };
    }

    /// Where else a table of that name is, for a message.
    private static String elsewhere(Connection connection, List<String> tables) throws SQLException {
        List<String> others = relations(connection, ALL + " AND c.relname = ANY (?)", tables).stream()
                .filter(Relation::isReadable)
                .limit(3)
                .map(relation -> relation.id().toString())
                .toList();
        return others.isEmpty() ? "" : "; there is " + String.join(", ", others);
    }

    private static PerigeeException missing(String name, String what) {
        return Fault.SOURCE_TABLE_MISSING.in("table " + name, what, "Nothing was read");
    }

    private static PerigeeException unreadable(TableId id) {
        return Fault.SOURCE_PERMISSION.in(
                "table " + id, "the source's user may not SELECT from it or use its schema", "Nothing was read");
    }

    private static Array oids(Connection connection, List<Long> oids) throws SQLException {
        return connection.createArrayOf("oid", oids.toArray());
    }

    private static List<String> strings(Array array) throws SQLException {
        return List.of((String[]) array.getArray());
    }
}
