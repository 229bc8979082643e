package dev.perigee.replication.check;

import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/// `tmp_replication_checks`: when each check of each table is due, so that a restart forgets none. Every method works
/// inside the caller's transaction.
final class CheckRecords {
    private CheckRecords() {}

    /// @param table the name the table is configured by
    record Key(String table, CheckSchedule.Kind kind) {}

    static Map<Key, Instant> all(Transaction tx) {
        Map<Key, Instant> due = new HashMap<>();
        SqliteStatement rows = tx.statement("SELECT name, kind, due_at FROM tmp_replication_checks");
        while (rows.step()) {
            String kind = String.valueOf(rows.textAt(1)).toUpperCase(Locale.ROOT);
            due.put(
                    new Key(String.valueOf(rows.textAt(0)), CheckSchedule.Kind.valueOf(kind)),
                    Instant.ofEpochMilli(rows.intAt(2)));
        }
        return due;
    }

    static void put(Transaction tx, Key key, Instant due) {
        tx.statement("INSERT OR REPLACE INTO tmp_replication_checks (name, kind, due_at) VALUES (?1, ?2, ?3)")
                .bindText(1, key.table())
                .bindText(2, ConfigRecords.word(key.kind()))
                .bindInt(3, due.toEpochMilli())
                .run();
    }

    static void remove(Transaction tx, Key key) {
        tx.statement("DELETE FROM tmp_replication_checks WHERE name = ?1 AND kind = ?2")
                .bindText(1, key.table())
                .bindText(2, ConfigRecords.word(key.kind()))
                .run();
    }
}
