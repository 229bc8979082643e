package dev.perigee.bundled.cdc;

import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;

/// Keeps the log within its limits. Belongs to the writer's thread.
final class Retention {
    /// How much is kept for clients that come back.
    ///
    /// @param maxRows maximum number of changes
    /// @param maxBytes maximum number of characters of their rows' JSON; checked only after an eighth of it was added,
    ///     so an eighth more may be there
    record Limits(long maxRows, long maxBytes) {
        static final Limits DEFAULT = new Limits(100_000, 64L << 20);
    }

    private final Limits limits;
    private long bytesLooked;

    Retention(Limits limits) {
        this.limits = limits;
    }

    /// Deletes the oldest changes past the limits, and records the position up to which they are gone. Called before
    /// each commit that recorded something.
    ///
    /// @param bytesRecorded characters of JSON recorded since recording began
    void trim(Transaction tx, long bytesRecorded) {
        SqliteStatement ends =
                tx.statement("SELECT coalesce(min(position), 0), coalesce(max(position), 0) FROM tmp_cdc_log");
        ends.step();
        long first = ends.intAt(0);
        long forgotten = ends.intAt(1) - limits.maxRows();
        ends.reset();
        if (bytesRecorded - bytesLooked > limits.maxBytes() / 8) {
            bytesLooked = bytesRecorded;
            forgotten = Math.max(forgotten, pastBytes(tx));
        }
        if (first > forgotten) return;
        tx.statement("DELETE FROM tmp_cdc_log WHERE position <= ?1")
                .bindInt(1, forgotten)
                .run();
        tx.statement("UPDATE tmp_cdc_state SET floor = max(floor, ?1)")
                .bindInt(1, forgotten)
                .run();
    }

    /// The latest position that no longer fits; 0 if all do.
    private long pastBytes(Transaction tx) {
        SqliteStatement select = tx.statement("""
                SELECT coalesce(max(position), 0) FROM (
                    SELECT position, sum(coalesce(length(data), 0) + coalesce(length(old), 0))
                        OVER (ORDER BY position DESC) AS bytes
                    FROM tmp_cdc_log)
                WHERE bytes > ?1""").bindInt(1, limits.maxBytes());
        select.step();
        long position = select.intAt(0);
        select.reset();
        return position;
    }
}
