package dev.perigee.replication.state;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.plugin.Json;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// `tmp_replication_set_aside`: rows that could not be stored. Every method works inside the caller's transaction.
///
/// Rows of a shadow or stage are *pending*: they count only once its rows have become the copy's.
public final class SetAsideRecords {
    /// Rows of one table that can be set aside. Where more cannot be stored, the cause is the table and not single
    /// rows.
    public static final int MAX_ROWS = 1000;

    /// How long after the first try a row is fetched again. The time doubles with each further try, up to [#RETRY_MAX].
    static final Duration RETRY_FIRST = Duration.ofMinutes(1);

    static final Duration RETRY_MAX = Duration.ofHours(1);

    private static final int MAX_DOUBLINGS = 10;

    /// A row that could not be stored.
    ///
    /// @param key as JSON; empty where the row has no key that can be written
    /// @param source as JSON
    public record Entry(Optional<String> key, PerigeeException reason, String source) {}

    private SetAsideRecords() {}

    /// Remembers that a row could not be stored, for the first time or again.
    ///
    /// @param run the number of the run that tried
    /// @throws PerigeeException [Fault#SET_ASIDE_FULL] if the table has [#MAX_ROWS] already
    public static void put(Transaction tx, String name, boolean isPending, Entry entry, Instant now, long run) {
        String same = entry.key().isPresent() ? "key = ?4" : "key IS NULL AND source_text = ?7";
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_set_aside
                SET fault = ?5, message = ?6, source_text = ?7, last_tried = ?8, tries = tries + 1, run = ?9
                WHERE name = ?2 AND pending = ?3 AND %s""".formatted(same));
        bind(update, name, isPending, entry, now, run);
        update.run();
        if (tx.connection().changes() > 0) return;
        if (count(tx, name, isPending) >= MAX_ROWS) throw full(name, entry.reason());
        SqliteStatement insert = tx.statement("""
                INSERT INTO tmp_replication_set_aside
                    (name, pending, key, fault, message, source_text, first_seen, last_tried, tries, run)
                VALUES (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1, ?9)""");
        bind(insert, name, isPending, entry, now, run);
        insert.run();
    }

    /// Forgets a row, because it was stored or is gone from the source.
    public static void remove(Transaction tx, String name, boolean isPending, String key) {
        tx.statement("DELETE FROM tmp_replication_set_aside WHERE name = ?1 AND pending = ?2 AND key = ?3")
                .bindText(1, name)
                .bindInt(2, isPending ? 1 : 0)
                .bindText(3, key)
                .run();
    }

    /// Forgets the rows without a key (fault `KEY_MISSING`) that `run` did not meet. For a run that has read all such
    /// rows of the source.
    public static void keepNullKeysOf(Transaction tx, String name, boolean isPending, long run) {
        tx.statement("""
                DELETE FROM tmp_replication_set_aside
                WHERE name = ?1 AND pending = ?2 AND key IS NULL AND fault = 'KEY_MISSING' AND run <> ?3""")
                .bindText(1, name)
                .bindInt(2, isPending ? 1 : 0)
                .bindInt(3, run)
                .run();
    }

    /// Makes the pending rows count, because a new copy has replaced the old one. The rows of the old copy are
    /// forgotten.
    public static void swapped(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_set_aside WHERE name = ?1 AND pending = 0")
                .bindText(1, name)
                .run();
        settlePending(tx, name);
    }

    /// Makes the pending rows count, because the stage's rows were merged into the copy. They replace rows with the
    /// same keys.
    ///
    /// @param isNullKeysRead whether all rows without a key were read, so that earlier ones are replaced too
    public static void merged(Transaction tx, String name, boolean isNullKeysRead) {
        tx.statement("""
                DELETE FROM tmp_replication_set_aside
                WHERE name = ?1 AND pending = 0
                  AND (key IN (SELECT key FROM tmp_replication_set_aside WHERE name = ?1 AND pending = 1 AND key IS NOT NULL)
                       OR ?2 AND key IS NULL AND fault = 'KEY_MISSING')""").bindText(1, name).bindInt(2, isNullKeysRead ? 1 : 0).run();
        settlePending(tx, name);
    }

    /// Forgets the rows of a copy, because the table was emptied.
    public static void emptied(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_set_aside WHERE name = ?1 AND pending = 0")
                .bindText(1, name)
                .run();
    }

    /// Forgets the pending rows, because the shadow or stage is given up.
    public static void dropPending(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_set_aside WHERE name = ?1 AND pending = 1")
                .bindText(1, name)
                .run();
    }

    /// Has the next sync try all rows of the table again.
    public static void retryNow(Transaction tx, String name) {
        tx.statement("UPDATE tmp_replication_set_aside SET last_tried = 0 WHERE name = ?1 AND pending = 0")
                .bindText(1, name)
                .run();
    }

    /// Whether a row with a key was not tried since [#retryNow].
    public static boolean isRetryWanted(Transaction tx, String name) {
        SqliteStatement any = tx.statement("""
                SELECT 1 FROM tmp_replication_set_aside
                WHERE name = ?1 AND pending = 0 AND last_tried = 0 AND key IS NOT NULL""");
        try {
            return any.bindText(1, name).step();
        } finally {
            any.reset();
        }
    }

    public static long count(Transaction tx, String name, boolean isPending) {
        SqliteStatement count =
                tx.statement("SELECT count(*) FROM tmp_replication_set_aside WHERE name = ?1 AND pending = ?2");
        try {
            count.bindText(1, name).bindInt(2, isPending ? 1 : 0).step();
            return count.intAt(0);
        } finally {
            count.reset();
        }
    }

    /// The number of rows set aside, by table. Tables without any are left out.
    public static Map<String, Long> counts(Transaction tx) {
        SqliteStatement rows =
                tx.statement("SELECT name, count(*) FROM tmp_replication_set_aside WHERE pending = 0 GROUP BY name");
        Map<String, Long> counts = new TreeMap<>();
        while (rows.step()) counts.put(String.valueOf(rows.textAt(0)), rows.intAt(1));
        return counts;
    }

    /// A row set aside that has a key.
    ///
    /// @param fault the name of the fault it was set aside for
    /// @param isDue whether it is time to fetch it again
    public record Known(String key, String fault, boolean isDue) {}

    /// The rows of a table that have a key.
    public static List<Known> known(Transaction tx, String name, Instant now) {
        SqliteStatement rows = tx.statement("""
                SELECT key, fault, last_tried, tries FROM tmp_replication_set_aside
                WHERE name = ?1 AND pending = 0 AND key IS NOT NULL""").bindText(1, name);
        List<Known> known = new ArrayList<>();
        while (rows.step()) {
            Instant tried = Instant.ofEpochMilli(rows.intAt(2));
            // A last try in the future means that the clock was ahead then.
            boolean isDue =
                    tried.isAfter(now) || !tried.plus(delay(rows.intAt(3))).isAfter(now);
            known.add(new Known(String.valueOf(rows.textAt(0)), String.valueOf(rows.textAt(1)), isDue));
        }
        return known;
    }

    /// The rows set aside, oldest first.
    public static List<SetAside> list(Transaction tx, String name, int limit) {
        SqliteStatement rows = tx.statement("""
                SELECT key, fault, message, source_text, first_seen, last_tried, tries FROM tmp_replication_set_aside
                WHERE name = ?1 AND pending = 0 ORDER BY id LIMIT ?2""").bindText(1, name).bindInt(2, limit);
        List<SetAside> list = new ArrayList<>();
        while (rows.step()) {
            list.add(new SetAside(
                    Optional.ofNullable(rows.textAt(0)).map(Json.MAPPER::readTree),
                    String.valueOf(rows.textAt(1)),
                    String.valueOf(rows.textAt(2)),
                    Json.MAPPER.readTree(String.valueOf(rows.textAt(3))),
                    Instant.ofEpochMilli(rows.intAt(4)),
                    Instant.ofEpochMilli(rows.intAt(5)),
                    rows.intAt(6)));
        }
        return list;
    }

    static Duration delay(long tries) {
        Duration full = RETRY_FIRST.multipliedBy(1L << Math.clamp(tries - 1, 0, MAX_DOUBLINGS));
        return full.compareTo(RETRY_MAX) > 0 ? RETRY_MAX : full;
    }

    private static void settlePending(Transaction tx, String name) {
        tx.statement("UPDATE tmp_replication_set_aside SET pending = 0 WHERE name = ?1")
                .bindText(1, name)
                .run();
    }

    private static void bind(
            SqliteStatement statement, String name, boolean isPending, Entry entry, Instant now, long run) {
        statement
                .bindText(2, name)
                .bindInt(3, isPending ? 1 : 0)
                .bindText(4, entry.key().orElse(null))
                .bindText(5, entry.reason().fault().name())
                .bindText(6, entry.reason().getMessage())
                .bindText(7, entry.source())
                .bindInt(8, now.toEpochMilli())
                .bindInt(9, run);
    }

    private static PerigeeException full(String name, PerigeeException last) {
        return Fault.SET_ASIDE_FULL.in(
                "table " + name,
                "more than %d of its rows could not be stored, the last due to %s".formatted(MAX_ROWS, last.fault()),
                "The pages before are kept, with the rows set aside in them",
                "see the reasons with `perigee tables set-aside %s` and remove the cause, such as a wrong `key` or a trigger on the copy; the sync is tried again automatically"
                        .formatted(Remedies.word(name)),
                last);
    }
}
