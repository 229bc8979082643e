package dev.perigee.source.postgres.statement;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Snapshot.Limit;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// Keeps a table from being sealed up to a cursor value that rows written from now on do not exceed. Such values are
/// times in the future of the server's clock, numbers that its sequence has not handed out yet, NaN and infinity.
public final class CursorLimit {
    private static final int NUMERIC_INFINITY = 140_000;
    private static final Set<String> UNLIMITED = Set.of("NaN", "Infinity");

    private final PgConnection session;
    private final SourceTable table;
    private final List<CatalogColumn> columns;
    private final String column;
    private final int serverVersion;
    private final Optional<Long> lastNumber;

    /// @param columns the table's columns, as the catalog has them
    /// @param lastNumber a number that the column's sequence has handed out; empty where none is known
    public CursorLimit(
            PgConnection session,
            SourceTable table,
            List<CatalogColumn> columns,
            String column,
            int serverVersion,
            Optional<Long> lastNumber) {
        this.session = session;
        this.table = table;
        this.columns = columns;
        this.column = column;
        this.serverVersion = serverVersion;
        this.lastNumber = lastNumber;
    }

    /// How far the table may be sealed, where `seen` is the greatest mark that was pulled by `now`.
    public Limit of(HighWaterMark seen, Instant now) throws SQLException {
        Optional<CatalogColumn> known = columns.stream()
                .filter(candidate -> candidate.name().equals(column))
                .findFirst();
        String cursor = seen.cursor().orElseThrow();
        if (known.isEmpty() || !known.get().type().isBuiltIn()) return new Limit(Optional.of(seen), false);
        String type = known.get().type().name();
        return switch (type) {
            case "timestamptz" ->
                isBefore(cursor, now)
                        ? new Limit(Optional.of(seen), false)
                        : time(seen, "?::timestamptz", type, now, true);
            // The value has no zone: it may be written in any zone, also in one where the clock is set back once a
            // year. What is more than half a day past in UTC is past everywhere.
            case "timestamp" ->
                time(seen, "(?::timestamptz AT TIME ZONE 'UTC' - interval '12 hours')", type, now, false);
            case "date" ->
                time(seen, "(?::timestamptz AT TIME ZONE 'UTC' - interval '12 hours')::date", type, now, false);
            case "float4", "float8", "numeric" ->
                UNLIMITED.contains(cursor) ? finite(type) : new Limit(Optional.of(seen), false);
            case "int2", "int4", "int8" -> number(seen, cursor);
            default -> new Limit(Optional.of(seen), false);
        };
    }

    private Limit time(HighWaterMark seen, String past, String type, Instant now, boolean isZoned) throws SQLException {
        String sql = "SELECT p::text FROM (SELECT %s AS p) past WHERE ?::%s >= p".formatted(past, type);
        String limit = first(sql, List.of(now.toString(), seen.cursor().orElseThrow()));
        if (limit == null) return new Limit(Optional.of(seen), false);
        return new Limit(before(limit), isZoned || isAheadEverywhere(seen, type, now));
    }

    /// Whether a time in UTC is before `now`; false where only the server understands it.
    private static boolean isBefore(String time, Instant now) {
        try {
            return Instant.parse(time.replace(' ', 'T').replaceFirst("\\+00$", "Z"))
                    .isBefore(now);
        } catch (DateTimeParseException e) {
            return false;
        }
    }

    /// Whether a time without a zone is in the future in every zone.
    private boolean isAheadEverywhere(HighWaterMark seen, String type, Instant now) throws SQLException {
        String sql =
                "SELECT 'ahead' WHERE ?::%s > ?::timestamptz AT TIME ZONE 'UTC' + interval '15 hours'".formatted(type);
        return first(sql, List.of(seen.cursor().orElseThrow(), now.toString())) != null;
    }

    private Limit finite(String type) throws SQLException {
        String bound = type.equals("numeric") && serverVersion < NUMERIC_INFINITY ? "NaN" : "Infinity";
        String name = PostgresNames.name(column);
        String sql = "SELECT max(%1$s)::text FROM %2$s WHERE %1$s < '%3$s'::%4$s"
                .formatted(name, PostgresNames.table(table.id()), bound, type);
        return new Limit(before(first(sql, List.of())), true);
    }

    /// Limits a number to the last one that its sequence handed out. Without the right to read the sequence, or without
    /// a sequence, there is no limit.
    private Limit number(HighWaterMark seen, String cursor) throws SQLException {
        if (lastNumber.filter(last -> last >= Long.parseLong(cursor)).isPresent()) {
            return new Limit(Optional.of(seen), false);
        }
        String sql = """
                SELECT coalesce(pg_sequence_last_value(q.seqrelid), q.seqstart - 1)::text
                FROM pg_catalog.pg_sequence q
                WHERE q.seqrelid = pg_get_serial_sequence(?, ?)::regclass
                  AND has_sequence_privilege(q.seqrelid, 'USAGE, SELECT')""";
        String last = first(sql, List.of(PostgresNames.table(table.id()), column));
        boolean isAhead = last != null && Long.parseLong(cursor) > Long.parseLong(last);
        return isAhead ? new Limit(before(last), true) : new Limit(Optional.of(seen), false);
    }

    /// The place before all rows that have this cursor.
    private static Optional<HighWaterMark> before(@Nullable String cursor) {
        return Optional.ofNullable(cursor).map(value -> new HighWaterMark(Optional.of(value), List.of()));
    }

    private @Nullable String first(String sql, List<String> parameters) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            for (int i = 0; i < parameters.size(); i++) statement.setString(i + 1, parameters.get(i));
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }
}
