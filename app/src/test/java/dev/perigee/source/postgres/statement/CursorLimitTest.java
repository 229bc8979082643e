package dev.perigee.source.postgres.statement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.testing.TestPostgres;
import java.sql.Connection;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.jdbc.PgConnection;

/// How far a table may be called complete, at each hour of a day.
class CursorLimitTest {
    /// A day is over when it is over in the last of all zones, UTC-12.
    @ParameterizedTest
    @CsvSource({
        "2026-11-26T00:00:00Z, 2026-11-25",
        "2026-11-26T11:59:59Z, 2026-11-25",
        "2026-11-26T12:00:00Z, 2026-11-26",
        "2026-11-26T23:59:59Z, 2026-11-26",
    })
    void today_is_not_over_at_any_hour(String now, String first) throws Exception {
        for (String seen : List.of("2026-11-26", "2026-11-27")) {
            assertThat(limit("date", seen, now)).as(seen).contains(new HighWaterMark(Optional.of(first), List.of()));
        }
        assertThat(limit("date", "2026-11-24", now)).contains(seen("2026-11-24"));
    }

    @ParameterizedTest
    @CsvSource({"2026-11-26 09:00:00", "2026-11-26 00:00:00"})
    void a_time_without_a_zone_is_not_over_for_twelve_hours(String seen) throws Exception {
        assertThat(limit("timestamp", seen, "2026-11-26T12:00:00Z"))
                .contains(new HighWaterMark(Optional.of("2026-11-26 00:00:00"), List.of()));
    }

    @Test
    void a_time_without_a_zone_is_over_twelve_hours_later() throws Exception {
        assertThat(limit("timestamp", "2026-11-25 23:59:59", "2026-11-26T12:00:00Z"))
                .contains(seen("2026-11-25 23:59:59"));
    }

    private static HighWaterMark seen(String cursor) {
        return new HighWaterMark(Optional.of(cursor), List.of("1"));
    }

    private static Optional<HighWaterMark> limit(String type, String cursor, String now) throws Exception {
        try (TestPostgres postgres = TestPostgres.create();
                Source source = new PostgresSource(postgres.config());
                Connection connection = postgres.connect()) {
            postgres.execute("CREATE TABLE t (id int PRIMARY KEY, c %s NOT NULL)".formatted(type));
            SourceTable table = source.describe("t");
            PgConnection session = connection.unwrap(PgConnection.class);
            List<CatalogColumn> columns = PostgresCatalog.columns(session, table.id());
            return new CursorLimit(session, table, columns, "c", 180000, Optional.empty())
                    .of(seen(cursor), Instant.parse(now))
                    .mark();
        }
    }
}
