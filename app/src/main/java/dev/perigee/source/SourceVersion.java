package dev.perigee.source;

import java.time.Instant;

/// Which state of a source a snapshot shows. While two versions are equal, nothing that any table of the source holds
/// has changed: no transaction that wrote has committed in between.
///
/// @param server tells the server from others, and its run from earlier ones. A server may lose commits when it starts
///     again, and then gives their numbers to other transactions
/// @param snapshot in the source's own notation (PostgreSQL: `pg_current_snapshot()`)
/// @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT">pg_snapshot</a>
public record SourceVersion(String server, String snapshot) {
    /// A version, and a time by the source's clock up to which it has everything that was committed.
    public record At(SourceVersion version, Instant asOf) {}
}
