package dev.perigee.replication.state;

import dev.perigee.plugin.Json;
import dev.perigee.source.Identity;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// `tmp_replication_drift`: which source a copy's rows come from, and how far changes of the table's definition have
/// been followed. Every method works inside the caller's transaction.
public final class DriftRecords {
    /// A row of `tmp_replication_drift`.
    ///
    /// @param identity the source and the table, as they were when rows were last applied
    /// @param suspicion why syncs apply nothing until an admin has the copy recovered or fetched again
    /// @param backfill added columns that are not filled for all rows yet
    public record Row(Optional<Identity> identity, Optional<Suspicion> suspicion, Optional<ColumnBackfill> backfill) {
        static final Row NONE = new Row(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// A sign that the source went back. It is remembered because it may not show a second time, as when a counter went
    /// back and has caught up since.
    ///
    /// @param fault the name of the [dev.perigee.fault.Fault] that each sync fails with
    /// @param what what was found, for people
    public record Suspicion(String fault, String what) {}

    private DriftRecords() {}

    public static Row find(Transaction tx, String name) {
        SqliteStatement row =
                tx.statement("SELECT identity, suspicion, backfill FROM tmp_replication_drift WHERE name = ?1");
        try {
            if (!row.bindText(1, name).step()) return Row.NONE;
            return new Row(
                    read(row.textAt(0), Identity.class),
                    read(row.textAt(1), Suspicion.class),
                    read(row.textAt(2), ColumnBackfill.class));
        } finally {
            row.reset();
        }
    }

    public static void identity(Transaction tx, String name, Identity identity) {
        put(tx, name, "identity", Json.MAPPER.writeValueAsString(identity));
    }

    public static void suspicion(Transaction tx, String name, Suspicion suspicion) {
        put(tx, name, "suspicion", Json.MAPPER.writeValueAsString(suspicion));
    }

    public static void backfill(Transaction tx, String name, Optional<ColumnBackfill> backfill) {
        put(tx, name, "backfill", backfill.map(Json.MAPPER::writeValueAsString).orElse(null));
        if (backfill.isPresent()) tx.copyChanged(); // A column of the copy is being filled.
    }

    public static void recovering(Transaction tx, String name, boolean isRecovering) {
        put(tx, name, "recovering", isRecovering ? "1" : "0");
    }

    /// Forgets what was recorded and remembers `identity`, because all rows of the copy now count as this source's.
    public static void renewed(Transaction tx, String name, Optional<Identity> identity) {
        forget(tx, name);
        identity.ifPresent(known -> identity(tx, name, known));
    }

    public static void forget(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_drift WHERE name = ?1")
                .bindText(1, name)
                .run();
    }

    private static void put(Transaction tx, String name, String column, @Nullable String value) {
        tx.statement(
                        "INSERT INTO tmp_replication_drift (name, %1$s) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET %1$s = ?2"
                                .formatted(column))
                .bindText(1, name)
                .bindText(2, value)
                .run();
    }

    private static <T> Optional<T> read(@Nullable String json, Class<T> type) {
        return Optional.ofNullable(json).map(text -> Json.MAPPER.readValue(text, type));
    }
}
