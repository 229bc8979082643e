package dev.perigee.replication.check;

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

/// `tmp_replication_sweeps`: one row per table that was swept. Every method works inside the caller's transaction.
final class SweepRecords {
    private SweepRecords() {}

    /// Records `sweep` as the table's last one, unless the table is no longer replicated.
    static void put(Transaction tx, Sweep sweep) {
        SqliteStatement put = tx.statement("""
                INSERT OR REPLACE INTO tmp_replication_sweeps (name, at, verdict, compared, exchanged, deleted, missing,
                    as_of, position, awaiting, error_fault, error_message, error_remedy)
                SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13
                WHERE EXISTS (SELECT 1 FROM tmp_replication_state WHERE name = ?1)""");
        put.bindText(1, sweep.table())
                .bindInt(2, sweep.at().toEpochMilli())
                .bindText(3, ConfigRecords.word(sweep.verdict()))
                .bindInt(4, sweep.rows().compared())
                .bindInt(5, sweep.rows().exchanged())
                .bindInt(6, sweep.rows().deleted())
                .bindInt(7, sweep.rows().missing());
        bindInstant(put, 8, sweep.snapshot().asOf());
        put.bindText(9, sweep.snapshot().position().orElse(null))
                .bindInt(10, sweep.awaiting())
                .bindText(11, sweep.error().map(Problem::fault).orElse(null))
                .bindText(12, sweep.error().map(Problem::message).orElse(null))
                .bindText(13, sweep.error().map(Problem::remedy).orElse(null))
                .run();
    }

    static List<Sweep> all(Transaction tx) {
        SqliteStatement rows = tx.statement("""
                SELECT name, at, verdict, compared, exchanged, deleted, missing, as_of, position, awaiting,
                       error_fault, error_message, error_remedy
                FROM tmp_replication_sweeps ORDER BY name""");
        List<Sweep> sweeps = new ArrayList<>();
        while (rows.step()) {
            sweeps.add(new Sweep(
                    String.valueOf(rows.textAt(0)),
                    Instant.ofEpochMilli(rows.intAt(1)),
                    Sweep.Verdict.valueOf(String.valueOf(rows.textAt(2)).toUpperCase(Locale.ROOT)),
                    new Sweep.Rows(rows.intAt(3), rows.intAt(4), rows.intAt(5), rows.intAt(6)),
                    new SnapshotTime(instant(rows, 7), Optional.ofNullable(rows.textAt(8))),
                    rows.intAt(9),
                    Optional.ofNullable(rows.textAt(10))
                            .map(fault -> new Problem(
                                    fault, String.valueOf(rows.textAt(11)), String.valueOf(rows.textAt(12))))));
        }
        return sweeps;
    }

    private static void bindInstant(SqliteStatement statement, int index, Optional<Instant> instant) {
        if (instant.isPresent()) statement.bindInt(index, instant.get().toEpochMilli());
        else statement.bindNull(index);
    }

    private static Optional<Instant> instant(SqliteStatement rows, int column) {
        return rows.type(column) == Type.NULL
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli(rows.intAt(column)));
    }
}
