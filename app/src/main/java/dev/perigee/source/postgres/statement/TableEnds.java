package dev.perigee.source.postgres.statement;

import dev.perigee.source.SourceColumn;
import dev.perigee.source.WatchedTable;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The statement that reads the ends of many tables. It has no parameters, so it stays the same from look to look, and
/// a server that keeps it prepared does not plan it again. With an index on its cursor, a table costs one look into the
/// index.
public final class TableEnds {
    private TableEnds() {}

    /// Reads the answer to [#sql].
    ///
    /// @return in the tables' order
    public static List<WatchedTable.End> read(ResultSet row) throws SQLException {
        List<WatchedTable.End> ends = new ArrayList<>();
        while (row.next()) {
            ends.add(new WatchedTable.End(
                    Optional.ofNullable(row.getString(1)),
                    Optional.ofNullable(row.getString(2)),
                    Optional.ofNullable(row.getObject(3, Long.class))));
        }
        return ends;
    }

    public static String sql(List<WatchedTable> tables) {
        return tables.stream().map(TableEnds::end).collect(Collectors.joining(" UNION ALL "));
    }

    private static String end(WatchedTable watched) {
        String from = "FROM %s AS r WHERE r.%s"
                .formatted(PostgresNames.table(watched.table().id()), PostgresNames.name(watched.cursorColumn()));
        List<String> names = Stream.concat(Stream.of(watched.cursorColumn()), watched.key().stream())
                .distinct()
                .map(name -> "r." + PostgresNames.name(name))
                .toList();
        String greatest = "(SELECT ROW(%s)::pg_catalog.text %s IS NOT NULL ORDER BY %s LIMIT 1)"
                .formatted(
                        String.join(", ", names),
                        from,
                        names.stream().map(name -> name + " DESC").collect(Collectors.joining(", ")));
        // The transactions that wrote these rows: each row that is written anew has another.
        String without = watched.mayLackCursor()
                ? "(SELECT concat(count(*), ':', sum(pg_catalog.hashtext(r.xmin::pg_catalog.text))) %s IS NULL)"
                        .formatted(from)
                : "NULL";
        String last = sequence(watched).map("""
                        coalesce(pg_catalog.pg_sequence_last_value(%1$d::pg_catalog.oid::pg_catalog.regclass),
                                 (SELECT q.seqstart - 1 FROM pg_catalog.pg_sequence q WHERE q.seqrelid = %1$d))"""::formatted).orElse("NULL::pg_catalog.int8");
        return "SELECT %s, %s, %s".formatted(greatest, without, last);
    }

    private static Optional<Long> sequence(WatchedTable watched) {
        return watched.table()
                .column(watched.cursorColumn())
                .map(SourceColumn::identity)
                .map(watched.definition().sequences()::get);
    }
}
