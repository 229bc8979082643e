package dev.perigee.replication.check;

import dev.perigee.replication.check.Proof.Compared;
import dev.perigee.replication.check.Proof.Differences;
import dev.perigee.replication.check.Proof.Verdict;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.Problem;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// `tmp_replication_proofs`: the last verification of each table, and the last that found the copy equal or repaired
/// it. Methods work inside the caller's transaction.
public final class ProofRecords {
    private static final String SELECT = """
            SELECT name, verdict, started_at, took_ms, generation, as_of, position, rows, missing, different, extra,
                   pending, repaired, digest, error_fault, error_message, error_remedy,
                   verified_at, verified_verdict, verified_generation
            FROM tmp_replication_proofs""";

    private ProofRecords() {}

    /// The last verification that found a copy equal to the source, or made it so.
    ///
    /// @param at the time of the source's snapshot, by the source's clock
    /// @param verdict `equal` or `repaired`
    /// @param generation the generation of the copy that was verified
    record Verified(Instant at, Verdict verdict, long generation) {}

    /// The row of one table.
    ///
    /// @param verified empty if there was no such verification, or if a later one found differences and left them
    public record Entry(Proof last, Optional<Verified> verified) {}

    /// Records `proof` as the table's last verification. If it found differences and left them, the earlier [Verified]
    /// is cleared. If it could not be completed, the earlier one stays.
    static void put(Transaction tx, Proof proof) {
        SqliteStatement put = tx.statement("""
                INSERT INTO tmp_replication_proofs (name, verdict, started_at, took_ms, generation, as_of, position,
                    rows, missing, different, extra, pending, repaired, digest, error_fault, error_message,
                    error_remedy)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
                ON CONFLICT (name) DO UPDATE SET verdict = ?2, started_at = ?3, took_ms = ?4, generation = ?5,
                    as_of = ?6, position = ?7, rows = ?8, missing = ?9, different = ?10, extra = ?11, pending = ?12,
                    repaired = ?13, digest = ?14, error_fault = ?15, error_message = ?16, error_remedy = ?17""");
        Compared compared = proof.compared();
        Differences found = compared.differences();
        put.bindText(1, proof.table())
                .bindText(2, ConfigRecords.word(proof.verdict()))
                .bindInt(3, proof.startedAt().toEpochMilli())
                .bindInt(4, proof.tookMs())
                .bindInt(5, proof.generation());
        bindInstant(put, 6, compared.snapshot().asOf());
        put.bindText(7, compared.snapshot().position().orElse(null))
                .bindInt(8, compared.rows())
                .bindInt(9, found.missing())
                .bindInt(10, found.different())
                .bindInt(11, found.extra())
                .bindInt(12, found.pending())
                .bindInt(13, found.repaired())
                .bindText(14, compared.digest().orElse(null))
                .bindText(15, proof.error().map(Problem::fault).orElse(null))
                .bindText(16, proof.error().map(Problem::message).orElse(null))
                .bindText(17, proof.error().map(Problem::remedy).orElse(null))
                .run();
        if (proof.verdict() == Verdict.UNFINISHED) return;
        boolean isGood = proof.verdict().isGood();
        SqliteStatement verified = tx.statement("""
                UPDATE tmp_replication_proofs
                SET verified_at = ?2, verified_verdict = ?3, verified_generation = ?4 WHERE name = ?1""").bindText(1, proof.table());
        bindInstant(verified, 2, compared.snapshot().asOf().filter(_ -> isGood));
        verified.bindText(3, isGood ? ConfigRecords.word(proof.verdict()) : null)
                .bindInt(4, proof.generation())
                .run();
    }

    static Optional<Entry> find(Transaction tx, String table) {
        SqliteStatement rows = tx.statement(SELECT + " WHERE name = ?1").bindText(1, table);
        try {
            return rows.step() ? Optional.of(entry(rows)) : Optional.empty();
        } finally {
            rows.reset();
        }
    }

    /// All rows, by the name the table is configured by.
    static Map<String, Entry> all(Transaction tx) {
        Map<String, Entry> all = new HashMap<>();
        SqliteStatement rows = tx.statement(SELECT);
        while (rows.step()) {
            Entry entry = entry(rows);
            all.put(entry.last().table(), entry);
        }
        return all;
    }

    private static Entry entry(SqliteStatement rows) {
        Differences found =
                new Differences(rows.intAt(8), rows.intAt(9), rows.intAt(10), rows.intAt(11), rows.intAt(12));
        Compared compared =
                new Compared(new SnapshotTime(instant(rows, 5), text(rows, 6)), rows.intAt(7), found, text(rows, 13));
        Proof proof = new Proof(
                String.valueOf(rows.textAt(0)),
                verdict(rows, 1),
                Instant.ofEpochMilli(rows.intAt(2)),
                rows.intAt(3),
                rows.intAt(4),
                compared,
                text(rows, 14)
                        .map(fault -> new Problem(
                                fault, text(rows, 15).orElse(""), text(rows, 16).orElse(""))));
        return new Entry(proof, instant(rows, 17).map(at -> new Verified(at, verdict(rows, 18), rows.intAt(19))));
    }

    private static Verdict verdict(SqliteStatement rows, int column) {
        return Verdict.valueOf(String.valueOf(rows.textAt(column)).toUpperCase(Locale.ROOT));
    }

    private static void bindInstant(SqliteStatement statement, int index, Optional<Instant> instant) {
        if (instant.isPresent()) statement.bindInt(index, instant.get().toEpochMilli());
        else statement.bindNull(index);
    }

    private static Optional<String> text(SqliteStatement rows, int column) {
        return Optional.ofNullable(rows.textAt(column));
    }

    private static Optional<Instant> instant(SqliteStatement rows, int column) {
        return rows.type(column) == Type.NULL
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli(rows.intAt(column)));
    }
}
