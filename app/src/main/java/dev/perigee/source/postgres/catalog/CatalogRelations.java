package dev.perigee.source.postgres.catalog;

import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which relations exist.
///
/// Nothing here opens a relation, as `pg_table_size` would: a table locked by a migration must not hold up the list of
/// all the others. So sizes are those of the last `VACUUM` or `ANALYZE`.
final class CatalogRelations {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogRelations.class);

    private static final String SELECT = """
            SELECT c.oid, n.nspname, c.relname, c.relkind,
                   has_schema_privilege(n.oid, 'USAGE'),
                   has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'),
                   -- TimescaleDB makes a hypertable's unique indexes on each chunk, with the columns that rows are dealt
                   -- out by: they hold for all its rows.
                   c.relkind = 'r' AND EXISTS (
                       SELECT FROM pg_catalog.pg_inherits i
                       JOIN pg_catalog.pg_class k ON k.oid = i.inhrelid
                       JOIN pg_catalog.pg_namespace kn ON kn.oid = k.relnamespace
                       WHERE i.inhparent = c.oid AND NOT (
                           kn.nspname = '_timescaledb_internal'
                           AND EXISTS (SELECT FROM pg_catalog.pg_extension x WHERE x.extname = 'timescaledb'))),
                   size.row_count, size.bytes
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            CROSS JOIN LATERAL (
                -- Before PostgreSQL 14, 0 rows on 0 pages mean that nobody has counted; since then it is -1 rows.
                SELECT coalesce(sum(l.reltuples) FILTER (WHERE l.is_known), -1)::int8 AS row_count,
                       coalesce(sum(l.pages) FILTER (WHERE l.is_known), -1) AS bytes
                FROM (
                    SELECT p.reltuples,
                           (p.relpages + coalesce(t.relpages, 0)) * current_setting('block_size')::int8 AS pages,
                           p.reltuples > 0 OR p.reltuples = 0
                               AND (p.relpages > 0 OR current_setting('server_version_num')::int >= 140000) AS is_known
                    FROM pg_catalog.pg_class p
                    LEFT JOIN pg_catalog.pg_class t ON t.oid = p.reltoastrelid
                    WHERE p.relkind IN ('r', 'm', 'f')
                      AND (p.oid = c.oid AND c.relkind <> 'p' OR c.relkind = 'p'
                           AND p.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf))
                ) l
            ) size
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
            """;

    private CatalogRelations() {}

    /// Every relation that the user may read, outside the system schemas. Partitions are left out, because their parent
    /// has their rows.
    static List<CatalogRelation> readable(Connection c) throws SQLException {
        String where = """
                AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
                AND has_schema_privilege(n.oid, 'USAGE')
                AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
                """;
        if (CatalogNames.isUnchecked(c)) {
            String sendable =
                    "(%s AND %s AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND NOT %s))"
                            .formatted(
                                    CatalogNames.isText("n.nspname"),
                                    CatalogNames.isText("c.relname"),
                                    CatalogNames.isText("a.attname"));
            tellLeftOut(c, where + " AND NOT " + sendable);
            where += " AND " + sendable;
        }
        try (PreparedStatement statement = c.prepareStatement(SELECT + where)) {
            return relations(statement);
        }
    }

    private static void tellLeftOut(Connection c, String where) throws SQLException {
        try (PreparedStatement statement = c.prepareStatement("SELECT count(*) FROM (%s) x".formatted(SELECT + where));
                ResultSet row = statement.executeQuery()) {
            row.next();
            if (row.getLong(1) > 0)
                LOG.warn(
                        "{} tables are left out: their names, or those of their columns, are not UTF-8",
                        row.getLong(1));
        }
    }

    /// The relation with exactly this name, whether the user may read it or not.
    static Optional<CatalogRelation> named(Connection c, TableId id) throws SQLException {
        try (PreparedStatement statement = c.prepareStatement(SELECT + "AND n.nspname = ? AND c.relname = ?")) {
            statement.setString(1, id.schema());
            statement.setString(2, id.name());
            return relations(statement).stream().findFirst();
        }
    }

    /// As [#named(Connection, TableId)], for many tables at once. A table that does not exist is not in the map.
    static Map<TableId, CatalogRelation> named(Connection c, List<TableId> tables) throws SQLException {
        Map<TableId, CatalogRelation> named = new HashMap<>();
        try (PreparedStatement statement = c.prepareStatement(
                SELECT + "AND (n.nspname, c.relname) IN (SELECT s, t FROM unnest(?::text[], ?::text[]) AS w (s, t))")) {
            setNames(c, statement, tables);
            relations(statement).forEach(relation -> named.put(relation.id(), relation));
        }
        return named;
    }

    private static void setNames(Connection c, PreparedStatement statement, List<TableId> tables) throws SQLException {
        Object[] schemas = tables.stream().map(TableId::schema).toArray();
        Object[] names = tables.stream().map(TableId::name).toArray();
        statement.setArray(1, c.createArrayOf("text", schemas));
        statement.setArray(2, c.createArrayOf("text", names));
    }

    /// The numbers (OIDs) of those tables that exist.
    static Map<Long, TableId> numbers(Connection c, List<TableId> tables) throws SQLException {
        Map<Long, TableId> numbers = new HashMap<>();
        try (PreparedStatement statement = c.prepareStatement("""
                SELECT c.oid, w.n
                FROM unnest(?::text[], ?::text[]) WITH ORDINALITY AS w (s, t, n)
                JOIN pg_catalog.pg_namespace s ON s.nspname = w.s
                JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = w.t""")) {
            setNames(c, statement, tables);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) numbers.put(row.getLong(1), tables.get(Math.toIntExact(row.getLong(2) - 1)));
            }
        }
        return numbers;
    }

    private static List<CatalogRelation> relations(PreparedStatement statement) throws SQLException {
        List<CatalogRelation> relations = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                boolean isView = rows.getString(4).equals("v");
                relations.add(new CatalogRelation(
                        rows.getLong(1),
                        new TableId(rows.getString(2), rows.getString(3)),
                        kind(rows.getString(4)),
                        rows.getBoolean(5),
                        rows.getBoolean(6),
                        rows.getBoolean(7),
                        isView ? -1 : rows.getLong(8),
                        isView ? -1 : rows.getLong(9)));
            }
        }
        return relations;
    }

    private static SourceTable.Kind kind(String relkind) {
        return switch (relkind) {
            case "r" -> SourceTable.Kind.TABLE;
            case "p" -> SourceTable.Kind.PARTITIONED_TABLE;
            case "v" -> SourceTable.Kind.VIEW;
            case "m" -> SourceTable.Kind.MATERIALIZED_VIEW;
            case "f" -> SourceTable.Kind.FOREIGN_TABLE;
            default -> throw new IllegalStateException("relkind " + relkind + " was not asked for");
        };
    }
}
