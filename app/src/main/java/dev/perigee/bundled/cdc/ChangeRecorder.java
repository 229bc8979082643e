package dev.perigee.bundled.cdc;

import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// Records each changed row in `tmp_cdc_log`, by temporary triggers on the writer's connection, in the transaction that
/// changes it. So a change that is rolled back leaves no trace, and one that commits has its position in the order.
///
/// Before each commit that changed the schema, it looks for tables that were created, altered or dropped. A table that
/// is new or changed is announced as `RELOAD`, a dropped table as `DROP`.
final class ChangeRecorder implements ChangeObserver {
    static final List<String> TABLES = List.of("""
            CREATE TABLE tmp_cdc_log (
                position INTEGER PRIMARY KEY AUTOINCREMENT,
                at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
                action TEXT NOT NULL,
                table_name TEXT NOT NULL,
                data TEXT,
                old TEXT
            )""", """
            CREATE TABLE tmp_cdc_state (
                id INTEGER PRIMARY KEY CHECK (id = 1),
                is_recording INTEGER NOT NULL,
                floor INTEGER NOT NULL
            )""", "INSERT INTO tmp_cdc_state VALUES (1, 0, 0)");

    private static final String FOLLOWED = """
            SELECT t.name, s.sql || coalesce((SELECT group_concat(sql, ';') FROM (SELECT i.sql FROM main.sqlite_schema AS i
                WHERE i.type = 'index' AND i.tbl_name = s.name AND i.sql LIKE 'CREATE UNIQUE INDEX %' ORDER BY i.name)), '')
            FROM pragma_table_list AS t JOIN main.sqlite_schema AS s ON s.name = t.name AND s.type = 'table'
            WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~'
                AND t.name NOT LIKE 'tmp~_%' ESCAPE '~'""";

    private final Retention retention;
    private final Runnable committed;
    private final String prefix = "perigee_change_" + HexFormat.of().formatHex(random()) + "_";
    private final RowImages images = new RowImages();
    private final Set<String> altered = new HashSet<>();

    /// The tables that have triggers, with the SQL that created them and their unique indexes. `known` is as of the
    /// last commit, `coming` as of the next.
    private Map<String, String> known = Map.of();
    private Map<String, String> coming = Map.of();
    private long schemaVersion = -1;
    private long comingVersion = -1;
    private long rowsBefore;

    /// @param committed called after a commit that recorded something; must return at once
    ChangeRecorder(Retention retention, Runnable committed) {
        this.retention = retention;
        this.committed = committed;
    }

    private static byte[] random() {
        byte[] bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }

    /// Begins to record. Everything written from the next commit on is in the log.
    ///
    /// @param isResumed whether the log continues where it ended, because nothing was written in between
    static ChangeRecorder start(Store store, Retention retention, boolean isResumed, Runnable committed) {
        ChangeRecorder recorder = new ChangeRecorder(retention, committed);
        try {
            recorder.begin(store, isResumed);
        } catch (RuntimeException e) {
            store.observer(ChangeObserver.NONE); // Its triggers were rolled back.
            throw e;
        }
        return recorder;
    }

    /// A recorder for a worker process, in addition to the server's. It records what that process writes.
    static ChangeRecorder attached(Transaction tx, Retention retention) {
        ChangeRecorder recorder = new ChangeRecorder(retention, () -> {});
        recorder.images.register(tx.connection());
        recorder.followAll(tx);
        return recorder;
    }

    private void followAll(Transaction tx) {
        known = tables(tx);
        schemaVersion = tx.connection().schemaVersion();
        known.keySet().forEach(table -> follow(tx, table));
    }

    private void begin(Store store, boolean isResumed) {
        store.write(tx -> {
            images.register(tx.connection());
            if (!isResumed) {
                tx.connection().exec("DELETE FROM tmp_cdc_log");
                // This uses up a position, so that a client's position from before the gap is recognised as too old.
                tx.connection().exec("INSERT INTO tmp_cdc_log (action, table_name) VALUES ('START', '')");
                tx.connection()
                        .exec(
                                "UPDATE tmp_cdc_state SET is_recording = 1, floor = (SELECT max(position) FROM tmp_cdc_log)");
                tx.connection().exec("DELETE FROM tmp_cdc_log");
            }
            followAll(tx);
            store.observer(this);
            return true;
        });
    }

    /// Ends recording and forgets what was recorded.
    void stop(Store store) {
        store.write(tx -> {
            store.observer(ChangeObserver.NONE);
            known.keySet().forEach(table -> unfollow(tx, table));
            tx.connection().exec("DELETE FROM tmp_cdc_log");
            tx.connection().exec("UPDATE tmp_cdc_state SET is_recording = 0");
            return true;
        });
    }

    @Override
    public String triggerPrefix() {
        return prefix;
    }

    @Override
    public long rowsWritten() {
        return images.rowsWritten();
    }

    @Override
    public void altering(Transaction tx, String table) {
        known.keySet().stream().filter(table::equalsIgnoreCase).forEach(name -> {
            unfollow(tx, name);
            altered.add(name);
        });
    }

    @Override
    public void committing(Transaction tx) {
        images.over();
        comingVersion = tx.connection().schemaVersion();
        coming = known;
        if (comingVersion != schemaVersion || !altered.isEmpty())
            followSchema(tx, (action, table) -> announce(tx, action, table));
        if (images.rowsWritten() != rowsBefore) retention.trim(tx, images.bytes());
    }

    @Override
    public void committed() {
        known = coming;
        schemaVersion = comingVersion;
        altered.clear();
        if (images.rowsWritten() == rowsBefore) return;
        rowsBefore = images.rowsWritten();
        committed.run();
    }

    /// Follows the tables that a worker process created or altered. The worker's recorder has announced them already.
    @Override
    public void wroteElsewhere(Transaction tx) {
        comingVersion = tx.connection().schemaVersion();
        coming = known;
        if (comingVersion != schemaVersion || !altered.isEmpty()) followSchema(tx, (_, _) -> {});
        images.count(); // So that followers are woken.
    }

    /// @param announce called with `RELOAD` or `DROP` and the table's name
    private void followSchema(Transaction tx, BiConsumer<String, String> announce) {
        coming = tables(tx);
        for (String table : known.keySet()) {
            if (!coming.containsKey(table)) announce.accept("DROP", table);
        }
        coming.forEach((table, sql) -> {
            boolean isSame = sql.equals(known.get(table));
            // A table with the same name and definition may be a new one. Dropping the old one dropped its triggers,
            // too.
            if (isSame && !altered.contains(table) && hasTriggers(tx, table)) return;
            unfollow(tx, table);
            follow(tx, table);
            if (!isSame || !altered.contains(table)) announce.accept("RELOAD", table);
        });
    }

    private void announce(Transaction tx, String action, String table) {
        tx.statement("INSERT INTO tmp_cdc_log (action, table_name) VALUES (?1, ?2)")
                .bindText(1, action)
                .bindText(2, table)
                .run();
        images.count();
    }

    private Map<String, String> tables(Transaction tx) {
        Map<String, String> found = new TreeMap<>();
        SqliteStatement select = tx.statement(FOLLOWED);
        while (select.step()) found.put(String.valueOf(select.textAt(0)), String.valueOf(select.textAt(1)));
        return found;
    }

    private boolean hasTriggers(Transaction tx, String table) {
        SqliteStatement select = tx.statement(
                        "SELECT 1 FROM temp.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1"
                                + " AND substr(name, 1, length(?2)) = ?2")
                .bindText(1, table)
                .bindText(2, prefix);
        boolean isThere = select.step();
        select.reset();
        return isThere;
    }

    private void follow(Transaction tx, String table) {
        SqliteConnection connection = tx.connection();
        ChangeTriggers.of(tx, table, images, prefix).forEach(connection::exec);
    }

    private void unfollow(Transaction tx, String table) {
        ChangeTriggers.names(table, prefix)
                .forEach(name -> tx.connection().exec("DROP TRIGGER IF EXISTS temp." + SqlNames.quoted(name)));
    }
}
