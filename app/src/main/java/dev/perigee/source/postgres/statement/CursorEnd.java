package dev.perigee.source.postgres.statement;

import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.CatalogNames;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.catalog.PostgresType;
import dev.perigee.source.postgres.catalog.PostgresTypes;
import dev.perigee.source.postgres.decode.ColumnReading;
import dev.perigee.source.postgres.decode.CopyRows;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.copy.CopyOut;
import org.postgresql.jdbc.PgConnection;

/// The end of a table in the order of a cursor. With an index on the cursor, both questions are answered at once.
public record CursorEnd(PgConnection session, SourceTable table, String column) {
    /// The greatest `(cursor, key…)`, in the same text form as the marks of a pull. Rows with a NULL in their key are
    /// left out, because they cannot be found again.
    public Optional<HighWaterMark> greatest(List<String> key) throws SQLException {
        Map<String, CatalogColumn> columns = PostgresCatalog.columns(session, table.id()).stream()
                .collect(Collectors.toMap(CatalogColumn::name, Function.identity()));
        boolean isUnchecked = CatalogNames.isUnchecked(session);
        List<String> names = Stream.concat(Stream.of(column), key.stream()).toList();
        if (!columns.keySet().containsAll(names)) return Optional.empty();
        List<ColumnReading> readings = names.stream()
                .map(columns::get)
                .map(one -> PostgresTypes.reading(one.type(), NumericStorage.TEXT, TimestampStorage.ISO))
                .map(reading -> isUnchecked ? reading.unchecked() : reading)
                .map(reading -> reading.ofMark(isUnchecked))
                .toList();
        List<String> selected = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) selected.add(readings.get(i).select(qualified(names.get(i))));
        CopyOut copy = session.getCopyAPI()
                .copyOut("COPY (SELECT %s FROM %s AS r WHERE %s ORDER BY %s LIMIT 1) TO STDOUT (FORMAT BINARY)"
                        .formatted(
                                String.join(", ", selected),
                                PostgresNames.table(table.id()),
                                names.stream()
                                        .distinct()
                                        .map(name -> qualified(name) + " IS NOT NULL")
                                        .collect(Collectors.joining(" AND ")),
                                names.stream()
                                        .distinct()
                                        .map(name -> qualified(name) + " DESC")
                                        .collect(Collectors.joining(", "))));
        CopyRows rows = new CopyRows(copy, names.size());
        List<String> texts = new ArrayList<>();
        while (rows.next()) {
            for (int i = 0; i < names.size(); i++)
                texts.add(readings.get(i).decoder().text(rows.bytes(), rows.offset(i), rows.length(i)));
        }
        if (texts.isEmpty()) return Optional.empty();
        return Optional.of(new HighWaterMark(Optional.of(texts.getFirst()), texts.subList(1, texts.size())));
    }

    private static String qualified(String name) {
        return "r." + PostgresNames.name(name);
    }

    /// Whether all rows have lesser cursors than this one; false where the column is gone.
    public boolean isBehind(String cursor) throws SQLException {
        Optional<CatalogColumn> known = PostgresCatalog.columns(session, table.id()).stream()
                .filter(candidate -> candidate.name().equals(column))
                .findFirst();
        if (known.isEmpty()) return false;
        PostgresType type = known.get().type();
        String sql = "SELECT NOT EXISTS (SELECT FROM %s AS r WHERE r.%s >= ?::%s.%s)"
                .formatted(
                        PostgresNames.table(table.id()),
                        PostgresNames.name(column),
                        PostgresNames.name(type.schema()),
                        PostgresNames.name(type.name()));
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            statement.setString(1, cursor);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }
}
