package dev.perigee.replication.backfill;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.replication.backfill.Backfill.FailedSteps;
import dev.perigee.replication.backfill.Backfill.Job;
import dev.perigee.replication.backfill.Backfill.Phase;
import dev.perigee.replication.backfill.Backfill.PhaseProgress;
import dev.perigee.replication.copy.NameList;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// `tmp_replication_backfills`: one row per backfill under way. `tmp_replication_backfill_missing`: the rows that each
/// backfill found in the copy and not at the source. Every method works inside the caller's transaction.
final class BackfillRecords {
    private static final String SELECT = """
            SELECT name, scope, phase, confirmed, generation, run, started_at, after_key, after_rowid, rows_done,
                   rows_expected, inserted, updated, deleted, unchanged, failures, error_fault, error_message,
                   error_remedy
            FROM tmp_replication_backfills""";

    /// A row of the copy that the source did not have.
    ///
    /// @param rowid its rowid in the copy
    /// @param key its key as a JSON array of texts, in the source's form
    record Missing(long rowid, String key) {}

    private BackfillRecords() {}

    /// Records a new backfill. The caller has checked that the table has none.
    static void begin(Transaction tx, Backfill backfill) {
        tx.statement("""
                INSERT INTO tmp_replication_backfills (name, scope, phase, generation, run, started_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)""")
                .bindText(1, backfill.name())
                .bindText(2, Json.MAPPER.writeValueAsString(backfill.job().scope()))
                .bindText(3, ConfigRecords.word(backfill.phase()))
                .bindInt(4, backfill.job().generation())
                .bindInt(5, backfill.run())
                .bindInt(6, backfill.job().startedAt().toEpochMilli())
                .run();
        save(tx, backfill);
    }

    /// Records how far a backfill is. Called in the transaction that wrote the rows.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFLICT] if the backfill was cancelled meanwhile
    static void save(Transaction tx, Backfill backfill) {
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_backfills
                SET phase = ?3, confirmed = ?4, after_key = ?5, after_rowid = ?6, rows_done = ?7, rows_expected = ?8,
                    inserted = ?9, updated = ?10, deleted = ?11, unchanged = ?12, failures = ?13, error_fault = ?14,
                    error_message = ?15, error_remedy = ?16
                WHERE name = ?1 AND run = ?2""");
        PhaseProgress progress = backfill.progress();
        update.bindText(1, backfill.name())
                .bindInt(2, backfill.run())
                .bindText(3, ConfigRecords.word(progress.phase()))
                .bindInt(4, backfill.isConfirmed() ? 1 : 0)
                .bindText(5, progress.afterKey().map(NameList::toJson).orElse(null));
        progress.afterRowid().ifPresentOrElse(rowid -> update.bindInt(6, rowid), () -> update.bindNull(6));
        update.bindInt(7, progress.rows());
        progress.expected().ifPresentOrElse(rows -> update.bindInt(8, rows), () -> update.bindNull(8));
        Optional<Problem> error = backfill.failures().error();
        update.bindInt(9, backfill.counts().inserted())
                .bindInt(10, backfill.counts().updated())
                .bindInt(11, backfill.counts().deleted())
                .bindInt(12, backfill.counts().unchanged())
                .bindInt(13, backfill.failures().count())
                .bindText(14, error.map(Problem::fault).orElse(null))
                .bindText(15, error.map(Problem::message).orElse(null))
                .bindText(16, error.map(Problem::remedy).orElse(null))
                .run();
        if (tx.connection().changes() == 1) return;
        throw Fault.CONFLICT.in(
                "table " + backfill.name(), "its backfill was cancelled", "The pages written before stay in the copy");
    }

    /// The present state of this very backfill. Empty if it has ended, even if another one of the table has begun
    /// since.
    static Optional<Backfill> find(Transaction tx, Backfill known) {
        return find(tx, known.name()).filter(found -> found.run() == known.run());
    }

    /// The backfill of a table; empty if none is under way.
    static Optional<Backfill> find(Transaction tx, String name) {
        return read(tx.statement(SELECT + " WHERE name = ?1").bindText(1, name)).stream()
                .findFirst();
    }

    static List<Backfill> all(Transaction tx) {
        return read(tx.statement(SELECT + " ORDER BY name"));
    }

    /// Removes a table's backfill, with the missing rows it found.
    static void remove(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_backfills WHERE name = ?1")
                .bindText(1, name)
                .run();
        tx.statement("DELETE FROM tmp_replication_backfill_missing WHERE name = ?1")
                .bindText(1, name)
                .run();
    }

    static void addMissing(Transaction tx, String name, List<Missing> missing) {
        SqliteStatement insert = tx.statement("""
                INSERT OR REPLACE INTO tmp_replication_backfill_missing (name, copy_row, key) VALUES (?1, ?2, ?3)""");
        for (Missing one : missing) {
            insert.bindText(1, name)
                    .bindInt(2, one.rowid())
                    .bindText(3, one.key())
                    .run();
        }
    }

    static long countMissing(Transaction tx, String name) {
        SqliteStatement count = tx.statement("SELECT count(*) FROM tmp_replication_backfill_missing WHERE name = ?1");
        try {
            count.bindText(1, name).step();
            return count.intAt(0);
        } finally {
            count.reset();
        }
    }

    static List<Missing> missing(Transaction tx, String name, int limit) {
        SqliteStatement rows = tx.statement("""
                SELECT copy_row, key FROM tmp_replication_backfill_missing WHERE name = ?1 ORDER BY copy_row LIMIT ?2""").bindText(1, name).bindInt(2, limit);
        List<Missing> missing = new ArrayList<>();
        while (rows.step()) missing.add(new Missing(rows.intAt(0), String.valueOf(rows.textAt(1))));
        return missing;
    }

    /// Removes missing rows that have been dealt with.
    static void forget(Transaction tx, String name, List<Missing> missing) {
        SqliteStatement delete =
                tx.statement("DELETE FROM tmp_replication_backfill_missing WHERE name = ?1 AND copy_row = ?2");
        for (Missing one : missing)
            delete.bindText(1, name).bindInt(2, one.rowid()).run();
    }

    private static List<Backfill> read(SqliteStatement rows) {
        List<Backfill> backfills = new ArrayList<>();
        while (rows.step()) {
            Job job = new Job(
                    String.valueOf(rows.textAt(0)),
                    Json.MAPPER.readValue(rows.textAt(1), BackfillScope.class),
                    rows.intAt(4),
                    rows.intAt(5),
                    Instant.ofEpochMilli(rows.intAt(6)));
            PhaseProgress progress = new PhaseProgress(
                    Phase.valueOf(String.valueOf(rows.textAt(2)).toUpperCase(Locale.ROOT)),
                    Optional.ofNullable(rows.textAt(7)).map(NameList::ofJson),
                    number(rows, 8),
                    rows.intAt(9),
                    number(rows, 10));
            RowCounts counts = new RowCounts(rows.intAt(11), rows.intAt(12), rows.intAt(13), rows.intAt(14));
            Optional<Problem> error = Optional.ofNullable(rows.textAt(16))
                    .map(fault -> new Problem(fault, String.valueOf(rows.textAt(17)), String.valueOf(rows.textAt(18))));
            FailedSteps failures = new FailedSteps((int) rows.intAt(15), error);
            backfills.add(new Backfill(job, rows.intAt(3) != 0, progress, counts, failures));
        }
        return backfills;
    }

    private static Optional<Long> number(SqliteStatement rows, int column) {
        return rows.type(column) == Type.NULL ? Optional.empty() : Optional.of(rows.intAt(column));
    }
}
