package dev.perigee.source.postgres.statement;

import dev.perigee.source.Moment;
import java.time.Instant;

/// A snapshot's `xmin` and `xmax`, with all 64 bits. Every transaction below `xmin` had ended; none from `xmax` on had
/// begun to write.
///
/// @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT">pg_snapshot</a>
public record PostgresMoment(long xmin, long xmax) {
    /// @param snapshot as PostgreSQL writes it: `10:20:10,14,15`
    public static PostgresMoment of(String snapshot) {
        String[] parts = snapshot.split(":", 3);
        return new PostgresMoment(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
    }

    public Moment at(Instant time) {
        return new Moment(time, xmin + ":" + xmax);
    }
}
