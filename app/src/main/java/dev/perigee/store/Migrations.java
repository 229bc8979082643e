package dev.perigee.store;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteStatement;
import java.nio.file.Path;
import java.util.List;

/// The tables of one room, as an ordered list of schema steps. A room's version is the number of steps its tables have
/// been through.
///
/// Steps are only ever appended. A released step is never edited, because existing replicas have run it. A step may
/// hold several statements. All missing steps and the new version number are one transaction, so a crash leaves either
/// the old version or the new one, complete.
///
/// @param room the room's name, the key in `tmp_schema_versions`
/// @param steps all steps ever released, oldest first
public record Migrations(String room, List<String> steps) {
    public Migrations {
        steps = List.copyOf(steps);
    }

    void run(Transaction tx, Path file) {
        tx.connection().exec("""
                        CREATE TABLE IF NOT EXISTS tmp_schema_versions (
                          room TEXT NOT NULL PRIMARY KEY,
                          version INTEGER NOT NULL,
                          applied_at TEXT NOT NULL
                        ) WITHOUT ROWID""");
        long version = version(tx);
        if (version > steps.size()) {
            throw Fault.REPLICA_TOO_NEW.in(
                    "replica " + file,
                    "the tables of room %s have version %d, but this program knows versions up to %d only"
                            .formatted(room, version, steps.size()),
                    "Nothing was changed");
        }
        if (version == steps.size()) return;
        for (String step : steps.subList((int) version, steps.size()))
            tx.connection().exec(step);
        SqliteStatement record = tx.statement("""
                INSERT INTO tmp_schema_versions (room, version, applied_at)
                        VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
                        ON CONFLICT (room) DO UPDATE
                        SET version = excluded.version, applied_at = excluded.applied_at""");
        record.bindText(1, room).bindInt(2, steps.size()).run();
    }

    private long version(Transaction tx) {
        SqliteStatement select = tx.statement("SELECT version FROM tmp_schema_versions WHERE room = ?1");
        return select.bindText(1, room).step() ? select.intAt(0) : 0;
    }
}
