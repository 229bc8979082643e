package dev.perigee.replication.state;

import dev.perigee.source.VisibleTransactions;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// `tmp_replication_log` and `tmp_replication_log_tables`: how far the source's log was applied, and to which copies.
///
/// The position moves in the transaction that applies the changes before it. So after a crash the copies have exactly
/// what the position says.
public final class LogRecords {
    /// The follower of the source's log. There is at most one.
    ///
    /// @param name by which the source knows it
    /// @param began empty until the source keeps its log
    public record Follower(String name, Optional<Began> began) {}

    /// Which log is followed, and how far it was applied.
    ///
    /// @param system the server's system identifier
    /// @param timeline which of its histories the server followed
    /// @param position everything before it is in the copies
    public record Began(String system, long timeline, long position) {
        public Began at(long later) {
            return new Began(system, timeline, later);
        }
    }

    /// A table whose rows were read, so that the log's changes can be applied to its copy.
    ///
    /// @param number the table's number at the source
    /// @param shown the transactions that the snapshot saw, from which the copy was made. Their changes are in the copy
    ///     already. Empty where the log was applied far beyond the snapshot
    /// @param shownAt where the source's log stood at that snapshot
    public record Table(String name, long number, Optional<VisibleTransactions> shown, long shownAt) {}

    private LogRecords() {}

    public static Optional<Follower> follower(Transaction tx) {
        SqliteStatement row =
                tx.statement("SELECT follower, system, timeline, position FROM tmp_replication_log WHERE id = 1");
        try {
            if (!row.step()) return Optional.empty();
            Optional<Began> began = row.type(3) == Type.NULL
                    ? Optional.empty()
                    : Optional.of(new Began(String.valueOf(row.textAt(1)), row.intAt(2), row.intAt(3)));
            return Optional.of(new Follower(String.valueOf(row.textAt(0)), began));
        } finally {
            row.reset();
        }
    }

    /// Records a name before anything is created under it at the source.
    public static void named(Transaction tx, String name) {
        tx.statement("INSERT INTO tmp_replication_log (id, follower) VALUES (1, ?1)")
                .bindText(1, name)
                .run();
    }

    public static void began(Transaction tx, Began began) {
        tx.statement("UPDATE tmp_replication_log SET system = ?1, timeline = ?2, position = ?3")
                .bindText(1, began.system())
                .bindInt(2, began.timeline())
                .bindInt(3, began.position())
                .run();
    }

    /// Moves the position.
    public static void reached(Transaction tx, long position) {
        tx.statement("UPDATE tmp_replication_log SET position = ?1")
                .bindInt(1, position)
                .run();
    }

    /// Forgets the follower and all its tables. Their copies stay.
    public static void forget(Transaction tx) {
        tx.connection().exec("DELETE FROM tmp_replication_log; DELETE FROM tmp_replication_log_tables");
    }

    public static List<Table> tables(Transaction tx) {
        SqliteStatement rows =
                tx.statement("SELECT name, number, visible, shown_at FROM tmp_replication_log_tables ORDER BY name");
        List<Table> tables = new ArrayList<>();
        while (rows.step()) {
            tables.add(new Table(
                    String.valueOf(rows.textAt(0)),
                    rows.intAt(1),
                    Optional.ofNullable(rows.textAt(2)).map(text -> VisibleTransactions.parse(text, true)),
                    rows.intAt(3)));
        }
        return tables;
    }

    /// Records that a copy has everything that a snapshot showed.
    public static void loaded(Transaction tx, Table table) {
        tx.statement("""
                INSERT INTO tmp_replication_log_tables (name, number, visible, shown_at) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (name) DO UPDATE SET number = ?2, visible = ?3, shown_at = ?4""")
                .bindText(1, table.name())
                .bindInt(2, table.number())
                .bindText(3, text(table.shown()))
                .bindInt(4, table.shownAt())
                .run();
    }

    /// Records that the log was applied far beyond the table's snapshot.
    public static void passed(Transaction tx, String name) {
        tx.statement("UPDATE tmp_replication_log_tables SET visible = NULL WHERE name = ?1")
                .bindText(1, name)
                .run();
    }

    /// Records that the log's changes can no longer be applied to a copy.
    public static void remove(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_log_tables WHERE name = ?1")
                .bindText(1, name)
                .run();
    }

    public static boolean isFollowed(Transaction tx, String name) {
        SqliteStatement row = tx.statement("SELECT 1 FROM tmp_replication_log_tables WHERE name = ?1");
        try {
            return row.bindText(1, name).step();
        } finally {
            row.reset();
        }
    }

    private static @Nullable String text(Optional<VisibleTransactions> shown) {
        return shown.map(VisibleTransactions::text).orElse(null);
    }
}
