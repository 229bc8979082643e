package dev.perigee.source.postgres.statement;

import dev.perigee.source.Moment;
import dev.perigee.source.VisibleTransactions;
import java.time.Instant;
import java.util.Arrays;

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

    /// The transactions that a snapshot sees.
    ///
    /// @param snapshot as PostgreSQL writes it
    /// @param isListed whether it lists the running transactions. A standby's snapshot lists none of them
    public static VisibleTransactions visible(String snapshot, boolean isListed) {
        PostgresMoment ends = of(snapshot);
        String listed = snapshot.substring(snapshot.lastIndexOf(':') + 1);
        long[] running = listed.isEmpty()
                ? new long[0]
                : Arrays.stream(listed.split(",")).mapToLong(Long::parseLong).toArray();
        return VisibleTransactions.of(ends.xmin, ends.xmax, running, isListed);
    }

    public Moment at(Instant time) {
        return new Moment(time, xmin + ":" + xmax);
    }
}
