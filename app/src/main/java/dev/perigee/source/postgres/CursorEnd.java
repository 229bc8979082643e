package dev.perigee.source.postgres;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.SourceTable;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.jdbc.PgConnection;

/// The end of a table in the order of a cursor. An index on the cursor answers both questions at once.
record CursorEnd(PgConnection session, SourceTable table, String column) {
    /// The greatest `(cursor, key…)`, as texts that are cast back without a loss.
    Optional<HighWaterMark> greatest(List<String> key) throws SQLException {
        List<String> names = Stream.concat(Stream.of(column), key.stream())
                .map(name -> "r." + Quoted.name(name))
                .toList();
        String sql = "SELECT %s FROM %s AS r WHERE r.%s IS NOT NULL ORDER BY %s LIMIT 1"
                .formatted(
                        names.stream().map(name -> name + "::text").collect(Collectors.joining(", ")),
                        Quoted.table(table.id()),
                        Quoted.name(column),
                        names.stream().distinct().map(name -> name + " DESC").collect(Collectors.joining(", ")));
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            if (!row.next()) return Optional.empty();
            List<String> values = new ArrayList<>();
            for (int i = 0; i < key.size(); i++) values.add(row.getString(i + 2));
            return Optional.of(new HighWaterMark(Optional.of(row.getString(1)), values));
        }
    }

    /// Whether all rows have lesser cursors than this one.
    boolean isBehind(String cursor) throws SQLException {
        Optional<CatalogColumn> known = PostgresCatalog.columns(session, table.id()).stream()
                .filter(candidate -> candidate.name().equals(column))
                .findFirst();
        if (known.isEmpty()) return false;
        PostgresType type = known.get().type();
        String sql = "SELECT NOT EXISTS (SELECT FROM %s AS r WHERE r.%s >= ?::%s.%s)"
                .formatted(
                        Quoted.table(table.id()),
                        Quoted.name(column),
                        Quoted.name(type.schema()),
                        Quoted.name(type.name()));
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            statement.setString(1, cursor);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }
}
