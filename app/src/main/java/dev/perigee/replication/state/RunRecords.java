package dev.perigee.replication.state;

import dev.perigee.replication.copy.RowCounts;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// `tmp_replication_runs`: the last runs of each table. Run numbers are handed out here and not by SQLite. So a run
/// keeps its number when the transaction that first wrote it is rolled back. This is safe because only one process
/// writes a replica.
public final class RunRecords {
    private final AtomicLong lastId;
    private final int keepRuns;

    /// @param keepRuns run records kept for each table
    public RunRecords(Store store, int keepRuns) {
        this.keepRuns = keepRuns;
        this.lastId = new AtomicLong(store.write(tx -> {
            SqliteStatement last = tx.statement("SELECT coalesce(max(id), 0) FROM tmp_replication_runs");
            try {
                last.step();
                return last.intAt(0);
            } finally {
                last.reset();
            }
        }));
    }

    public long nextId() {
        return lastId.incrementAndGet();
    }

    /// Inserts or updates the run's row. Once the run is finished, removes the table's runs beyond the newest
    /// `keepRuns`.
    public void put(Transaction tx, Run run) {
        SqliteStatement put = tx.statement("""
                INSERT INTO tmp_replication_runs (id, name, kind, outcome, started_at, finished_at, inserted, updated,
                        deleted, unchanged, pages, cursor, error_fault, error_message, note)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
                ON CONFLICT (id) DO UPDATE SET outcome = ?4, finished_at = ?6, inserted = ?7, updated = ?8,
                        deleted = ?9, unchanged = ?10, pages = ?11, cursor = ?12, error_fault = ?13,
                        error_message = ?14, note = ?15""");
        put.bindInt(1, run.id())
                .bindText(2, run.table())
                .bindText(3, ConfigRecords.word(run.kind()))
                .bindText(4, ConfigRecords.word(run.end().outcome()))
                .bindInt(5, run.startedAt().toEpochMilli());
        if (run.end().at().isPresent()) put.bindInt(6, run.end().at().get().toEpochMilli());
        else put.bindNull(6);
        put.bindInt(7, run.work().counts().inserted())
                .bindInt(8, run.work().counts().updated())
                .bindInt(9, run.work().counts().deleted())
                .bindInt(10, run.work().counts().unchanged())
                .bindInt(11, run.work().pages())
                .bindText(12, run.work().cursor().orElse(null))
                .bindText(13, run.end().error().map(Problem::fault).orElse(null))
                .bindText(14, run.end().error().map(Problem::message).orElse(null))
                .bindText(15, run.note().orElse(null))
                .run();
        if (run.end().at().isPresent()) prune(tx, run.table());
    }

    /// Marks the runs that a crash left unfinished as interrupted.
    public static void interruptUnfinished(Transaction tx) {
        tx.statement("UPDATE tmp_replication_runs SET outcome = 'interrupted' WHERE outcome = 'running'")
                .run();
    }

    /// The last runs, newest first.
    ///
    /// @param table the configured name of a table; empty for all tables
    public static List<Run> last(Transaction tx, Optional<String> table, int limit) {
        SqliteStatement rows = tx.statement("""
                SELECT id, name, kind, outcome, started_at, finished_at, inserted, updated, deleted, unchanged, pages,
                       cursor, error_fault, error_message, note
                FROM tmp_replication_runs WHERE %s ORDER BY id DESC LIMIT ?1""".formatted(table.isPresent() ? "name = ?2" : "true"));
        rows.bindInt(1, limit);
        if (table.isPresent()) rows.bindText(2, table.get());
        List<Run> runs = new ArrayList<>();
        while (rows.step()) {
            runs.add(new Run(
                    rows.intAt(0),
                    String.valueOf(rows.textAt(1)),
                    Run.Kind.valueOf(String.valueOf(rows.textAt(2)).toUpperCase(Locale.ROOT)),
                    Instant.ofEpochMilli(rows.intAt(4)),
                    new Run.Work(
                            new RowCounts(rows.intAt(6), rows.intAt(7), rows.intAt(8), rows.intAt(9)),
                            rows.intAt(10),
                            Optional.ofNullable(rows.textAt(11))),
                    end(rows),
                    Optional.ofNullable(rows.textAt(14))));
        }
        return runs;
    }

    private static Run.End end(SqliteStatement row) {
        return new Run.End(
                Run.Outcome.valueOf(String.valueOf(row.textAt(3)).toUpperCase(Locale.ROOT)),
                row.type(5) == Type.NULL ? Optional.empty() : Optional.of(Instant.ofEpochMilli(row.intAt(5))),
                Optional.ofNullable(row.textAt(12))
                        .map(fault -> new Problem(fault, String.valueOf(row.textAt(13)), "")));
    }

    private void prune(Transaction tx, String table) {
        tx.statement("""
                DELETE FROM tmp_replication_runs WHERE name = ?1 AND id <=
                    (SELECT id FROM tmp_replication_runs WHERE name = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)""").bindText(1, table).bindInt(2, keepRuns).run();
    }
}
