package dev.perigee.source.postgres.catalog;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;

/// The indexes that cover every row of a relation and consist of plain columns. Indexes with expressions or conditions
/// are left out, and so are unfinished ones.
final class CatalogIndexes {
    private static final String SELECT = """
            SELECT i.indrelid, c.relname, i.indisprimary, i.indisunique, m.amname = 'btree', i.indimmediate,
                   i.indisreplident, ARRAY(
                       SELECT a.attname::text
                       FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
                       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                       WHERE k.place <= i.indnkeyatts
                       ORDER BY k.place)
            FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            JOIN pg_catalog.pg_am m ON m.oid = c.relam
            WHERE i.indrelid = ANY (?::oid[]) AND i.indisvalid AND i.indisready AND i.indislive
              AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT i.indisexclusion AND 0 < ALL (i.indkey::int2[])
            ORDER BY i.indrelid, i.indisprimary DESC, c.relname
            """;

    private CatalogIndexes() {}

    /// @return the indexes by relation, the one of the primary key first, then by name
    static Map<Long, List<CatalogIndex>> of(Connection c, Collection<Long> relations) throws SQLException {
        Map<Long, List<CatalogIndex>> indexes = new HashMap<>();
        String select = !CatalogNames.isUnchecked(c)
                ? SELECT
                : SELECT.replaceFirst(
                        "c\\.relname",
                        Matcher.quoteReplacement("CASE WHEN %s THEN c.relname::text ELSE 'index ' || c.oid END"
                                .formatted(CatalogNames.isText("c.relname"))));
        try (PreparedStatement statement = c.prepareStatement(select)) {
            statement.setString(1, CatalogColumns.oids(relations));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    indexes.computeIfAbsent(row.getLong(1), _ -> new ArrayList<>())
                            .add(index(row));
                }
            }
        }
        return indexes;
    }

    private static CatalogIndex index(ResultSet row) throws SQLException {
        Array columns = row.getArray(8);
        return new CatalogIndex(
                row.getString(2),
                List.of((String[]) columns.getArray()),
                row.getBoolean(3),
                row.getBoolean(4),
                row.getBoolean(5),
                row.getBoolean(6),
                row.getBoolean(7));
    }
}
