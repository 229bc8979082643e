package dev.perigee.alarm;

import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Reads and writes the table `tmp_alarms`. `docs/format/tmp_alarms.md` describes its columns.
final class AlarmRecords {
    /// One owner's alarm, as it was read.
    ///
    /// @param dueMillis due time, in milliseconds since 1970-01-01T00:00Z
    /// @param begun runs of the handler begun since the alarm was set, including those that a crash cut short
    /// @param revision grows with each [#set], so that it tells whether the alarm was set again after it was read
    record Row(String owner, long dueMillis, int begun, long revision) {}

    private static final Duration READ_LIMIT = Duration.ofSeconds(10);

    private static final List<String> STEPS = List.of("""
            CREATE TABLE tmp_alarms (
              owner TEXT NOT NULL PRIMARY KEY,
              due_at_ms INTEGER NOT NULL,
              begun INTEGER NOT NULL DEFAULT 0,
              revision INTEGER NOT NULL
            ) WITHOUT ROWID;
            CREATE INDEX tmp_alarms_due ON tmp_alarms (due_at_ms)""");

    private final Store store;

    AlarmRecords(Store store) {
        this.store = store;
        store.migrate("alarm", STEPS);
    }

    long lastRevision() {
        return store.read(READ_LIMIT, tx -> {
            SqliteStatement select = tx.statement("SELECT coalesce(max(revision), 0) FROM tmp_alarms");
            select.step();
            return select.intAt(0);
        });
    }

    Optional<Row> row(String owner) {
        return store.read(READ_LIMIT, tx -> {
            SqliteStatement select =
                    tx.statement("SELECT owner, due_at_ms, begun, revision FROM tmp_alarms WHERE owner = ?1");
            return select.bindText(1, owner).step() ? Optional.of(rowOf(select)) : Optional.empty();
        });
    }

    /// Receives rows in the order of their due time, until it has enough.
    @FunctionalInterface
    interface Visitor {
        /// @return whether it wants the next row
        boolean see(Row row);
    }

    void inOrder(Visitor visitor) {
        store.read(READ_LIMIT, tx -> {
            SqliteStatement select =
                    tx.statement("SELECT owner, due_at_ms, begun, revision FROM tmp_alarms ORDER BY due_at_ms");
            boolean goOn = true;
            while (goOn && select.step()) goOn = visitor.see(rowOf(select));
            return null;
        });
    }

    void set(String owner, long dueMillis, long revision) {
        store.write(tx -> {
            tx.statement("""
                            INSERT INTO tmp_alarms (owner, due_at_ms, begun, revision) VALUES (?1, ?2, 0, ?3)
                            ON CONFLICT (owner) DO UPDATE
                            SET due_at_ms = excluded.due_at_ms, begun = 0, revision = excluded.revision""")
                    .bindText(1, owner)
                    .bindInt(2, dueMillis)
                    .bindInt(3, revision)
                    .run();
            return null;
        });
    }

    void clear(String owner) {
        store.write(tx -> {
            tx.statement("DELETE FROM tmp_alarms WHERE owner = ?1")
                    .bindText(1, owner)
                    .run();
            return null;
        });
    }

    /// Records that a run begins. It is written before the run, so a run that ends the process counts too.
    ///
    /// @return false, with nothing recorded, if the alarm has been set again, cleared or run since it was read
    boolean begin(Row row) {
        return store.write(tx -> {
            tx.statement("""
                            UPDATE tmp_alarms SET begun = begun + 1
                            WHERE owner = ?1 AND revision = ?2 AND begun = ?3""")
                    .bindText(1, row.owner())
                    .bindInt(2, row.revision())
                    .bindInt(3, row.begun())
                    .run();
            return tx.connection().changes() > 0;
        });
    }

    /// Deletes the alarm, unless it was set again meanwhile.
    void done(Row row) {
        store.write(tx -> {
            tx.statement("DELETE FROM tmp_alarms WHERE owner = ?1 AND revision = ?2")
                    .bindText(1, row.owner())
                    .bindInt(2, row.revision())
                    .run();
            return null;
        });
    }

    /// Moves the alarm's due time to its next retry, unless it was set again meanwhile.
    void retry(Row row, long dueMillis) {
        store.write(tx -> {
            tx.statement("UPDATE tmp_alarms SET due_at_ms = ?3 WHERE owner = ?1 AND revision = ?2")
                    .bindText(1, row.owner())
                    .bindInt(2, row.revision())
                    .bindInt(3, dueMillis)
                    .run();
            return null;
        });
    }

    /// Brings each retry's due time to at most its usual wait from now. A retry that is due later was scheduled while
    /// the clock was ahead.
    void bringRetriesNearer(long nowMillis) {
        store.write(tx -> {
            tx.statement("""
                            UPDATE tmp_alarms SET due_at_ms = min(due_at_ms, ?1 + (?2 << (begun - 1))) WHERE begun > 0""")
                    .bindInt(1, nowMillis)
                    .bindInt(2, Alarms.FIRST_BACKOFF.toMillis())
                    .run();
            return null;
        });
    }

    private static Row rowOf(SqliteStatement select) {
        return new Row(
                String.valueOf(select.textAt(0)), select.intAt(1), Math.toIntExact(select.intAt(2)), select.intAt(3));
    }
}
