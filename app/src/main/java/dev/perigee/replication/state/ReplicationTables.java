package dev.perigee.replication.state;

import dev.perigee.store.Transaction;
import java.time.Duration;
import java.util.List;

/// Perigee's own replication tables, as SQL. Each entry of [#VERSIONS] is one schema version. A version is applied once
/// and never edited, because a replica outlives the program that made it. `docs/format/` explains the columns.
public final class ReplicationTables {
    /// The name under which `tmp_schema_versions` records their version.
    public static final String ROOM = "replication";

    public static final List<String> VERSIONS = List.of("""
            CREATE TABLE tmp_replication_config (
                name          TEXT PRIMARY KEY NOT NULL,
                origin        TEXT NOT NULL,
                cursor_column TEXT NOT NULL,
                interval_ms   INTEGER NOT NULL,
                cron          TEXT,
                time_zone     TEXT,
                key           TEXT NOT NULL,
                columns       TEXT NOT NULL,
                exclude       TEXT NOT NULL,
                target        TEXT,
                page_rows     INTEGER NOT NULL,
                null_cursor   TEXT NOT NULL,
                indexes       INTEGER NOT NULL,
                numeric       TEXT NOT NULL,
                timestamps    TEXT NOT NULL,
                paused        INTEGER NOT NULL
            );
            CREATE TABLE tmp_replication_state (
                name          TEXT PRIMARY KEY NOT NULL,
                target        TEXT COLLATE NOCASE UNIQUE,
                definition    TEXT,
                cursor        TEXT,
                cursor_key    TEXT,
                pages         INTEGER NOT NULL DEFAULT 0,
                generation    INTEGER NOT NULL DEFAULT 0,
                loaded        INTEGER NOT NULL DEFAULT 0,
                needs_resync  INTEGER NOT NULL DEFAULT 0,
                shadow        TEXT,
                row_count     INTEGER NOT NULL DEFAULT 0,
                rows_pulled   INTEGER NOT NULL DEFAULT 0,
                text_numbers  INTEGER NOT NULL DEFAULT 0,
                last_sync_at  INTEGER,
                fresh_at      INTEGER,
                next_sync_at  INTEGER,
                failures      INTEGER NOT NULL DEFAULT 0,
                error_fault   TEXT,
                error_message TEXT,
                error_remedy  TEXT,
                error_at      INTEGER
            );
            CREATE TABLE tmp_replication_runs (
                id            INTEGER PRIMARY KEY,
                name          TEXT NOT NULL,
                kind          TEXT NOT NULL,
                outcome       TEXT NOT NULL,
                started_at    INTEGER NOT NULL,
                finished_at   INTEGER,
                inserted      INTEGER NOT NULL DEFAULT 0,
                updated       INTEGER NOT NULL DEFAULT 0,
                deleted       INTEGER NOT NULL DEFAULT 0,
                unchanged     INTEGER NOT NULL DEFAULT 0,
                pages         INTEGER NOT NULL DEFAULT 0,
                cursor        TEXT,
                error_fault   TEXT,
                error_message TEXT
            );
            CREATE INDEX tmp_replication_runs_by_name ON tmp_replication_runs (name, id);
            """, """
            ALTER TABLE tmp_replication_config ADD COLUMN mode TEXT NOT NULL DEFAULT 'cursor';
            ALTER TABLE tmp_replication_config ADD COLUMN group_name TEXT;
            ALTER TABLE tmp_replication_config ADD COLUMN deletes TEXT NOT NULL DEFAULT 'ignore';
            ALTER TABLE tmp_replication_config ADD COLUMN max_deleted_share REAL NOT NULL DEFAULT 0.2;
            ALTER TABLE tmp_replication_config ADD COLUMN verify_ms INTEGER;
            ALTER TABLE tmp_replication_config ADD COLUMN settle_ms INTEGER NOT NULL DEFAULT 10000;
            ALTER TABLE tmp_replication_config ADD COLUMN stamped_by TEXT NOT NULL DEFAULT 'auto';
            ALTER TABLE tmp_replication_config ADD COLUMN dropped_columns TEXT NOT NULL DEFAULT 'keep';
            """, """
            ALTER TABLE tmp_replication_state ADD COLUMN sealing TEXT;
            ALTER TABLE tmp_replication_state ADD COLUMN looked_since TEXT;
            ALTER TABLE tmp_replication_state ADD COLUMN complete_as_of INTEGER;
            ALTER TABLE tmp_replication_state ADD COLUMN position TEXT;
            ALTER TABLE tmp_replication_state ADD COLUMN guarantee TEXT;
            ALTER TABLE tmp_replication_state ADD COLUMN held_by TEXT;
            ALTER TABLE tmp_replication_state ADD COLUMN client_seen INTEGER NOT NULL DEFAULT 0;
            """, """
            CREATE TABLE tmp_replication_proofs (
                name                TEXT PRIMARY KEY NOT NULL,
                verdict             TEXT NOT NULL,
                started_at          INTEGER NOT NULL,
                took_ms             INTEGER NOT NULL,
                generation          INTEGER NOT NULL,
                as_of               INTEGER,
                position            TEXT,
                rows                INTEGER NOT NULL,
                missing             INTEGER NOT NULL,
                different           INTEGER NOT NULL,
                extra               INTEGER NOT NULL,
                pending             INTEGER NOT NULL,
                repaired            INTEGER NOT NULL,
                digest              TEXT,
                error_fault         TEXT,
                error_message       TEXT,
                error_remedy        TEXT,
                verified_at         INTEGER,
                verified_verdict    TEXT,
                verified_generation INTEGER
            );
            CREATE TABLE tmp_replication_checks (
                name   TEXT NOT NULL,
                kind   TEXT NOT NULL,
                due_at INTEGER NOT NULL,
                PRIMARY KEY (name, kind)
            );
            """, """
            CREATE TABLE tmp_replication_sweeps (
                name          TEXT PRIMARY KEY NOT NULL,
                at            INTEGER NOT NULL,
                verdict       TEXT NOT NULL,
                compared      INTEGER NOT NULL,
                exchanged     INTEGER NOT NULL,
                deleted       INTEGER NOT NULL,
                missing       INTEGER NOT NULL,
                as_of         INTEGER,
                position      TEXT,
                awaiting      INTEGER NOT NULL,
                error_fault   TEXT,
                error_message TEXT,
                error_remedy  TEXT
            );
            """, """
            CREATE TABLE tmp_replication_drift (
                name          TEXT PRIMARY KEY NOT NULL,
                identity      TEXT,
                suspicion     TEXT,
                backfill      TEXT,
                recovering    INTEGER NOT NULL DEFAULT 0
            );
            ALTER TABLE tmp_replication_runs ADD COLUMN note TEXT;
            """, """
            CREATE TABLE tmp_replication_set_aside (
                id          INTEGER PRIMARY KEY,
                name        TEXT NOT NULL,
                pending     INTEGER NOT NULL DEFAULT 0,
                key         TEXT,
                fault       TEXT NOT NULL,
                message     TEXT NOT NULL,
                source_text TEXT NOT NULL,
                first_seen  INTEGER NOT NULL,
                last_tried  INTEGER NOT NULL,
                tries       INTEGER NOT NULL,
                run         INTEGER NOT NULL
            );
            CREATE UNIQUE INDEX tmp_replication_set_aside_by_key ON tmp_replication_set_aside (name, pending, key);
            CREATE TABLE tmp_replication_backfills (
                name          TEXT PRIMARY KEY NOT NULL,
                scope         TEXT NOT NULL,
                phase         TEXT NOT NULL,
                confirmed     INTEGER NOT NULL DEFAULT 0,
                generation    INTEGER NOT NULL,
                run           INTEGER NOT NULL,
                started_at    INTEGER NOT NULL,
                after_key     TEXT,
                after_rowid   INTEGER,
                rows_done     INTEGER NOT NULL DEFAULT 0,
                rows_expected INTEGER,
                inserted      INTEGER NOT NULL DEFAULT 0,
                updated       INTEGER NOT NULL DEFAULT 0,
                deleted       INTEGER NOT NULL DEFAULT 0,
                unchanged     INTEGER NOT NULL DEFAULT 0,
                failures      INTEGER NOT NULL DEFAULT 0,
                error_fault   TEXT,
                error_message TEXT,
                error_remedy  TEXT
            );
            CREATE TABLE tmp_replication_backfill_missing (
                name     TEXT NOT NULL,
                copy_row INTEGER NOT NULL,
                key      TEXT NOT NULL,
                PRIMARY KEY (name, copy_row)
            ) WITHOUT ROWID;
            """, """
            ALTER TABLE tmp_replication_state ADD COLUMN obstacles TEXT;
            """, """
            ALTER TABLE tmp_replication_config ADD COLUMN row_security TEXT NOT NULL DEFAULT 'refused';
            """, """
            ALTER TABLE tmp_replication_config ADD COLUMN idle_interval_ms INTEGER;
            ALTER TABLE tmp_replication_config ADD COLUMN where_condition TEXT;
            ALTER TABLE tmp_replication_config ADD COLUMN masks TEXT;
            """, """
            CREATE TABLE tmp_replication_log (
                id       INTEGER PRIMARY KEY CHECK (id = 1),
                follower TEXT NOT NULL,
                system   TEXT,
                timeline INTEGER,
                position INTEGER
            );
            CREATE TABLE tmp_replication_log_tables (
                name     TEXT PRIMARY KEY NOT NULL,
                number   INTEGER NOT NULL,
                visible  TEXT,
                shown_at INTEGER NOT NULL
            );
            """);

    /// Time limit for reads of these tables, which are small.
    public static final Duration READ_LIMIT = Duration.ofSeconds(30);

    /// The tables that have rows about a replicated table, with its name in the column `name`; all but `config`.
    private static final List<String> BY_NAME = List.of(
            "state",
            "drift",
            "set_aside",
            "runs",
            "backfills",
            "backfill_missing",
            "checks",
            "proofs",
            "sweeps",
            "log_tables");

    private ReplicationTables() {}

    /// Removes everything that is remembered about a replicated table: its settings, its state and its history.
    public static void forget(Transaction tx, String name) {
        tx.statement("DELETE FROM tmp_replication_config WHERE name = ?1")
                .bindText(1, name)
                .run();
        for (String table : BY_NAME) delete(tx, table, name);
    }

    /// Moves everything that is remembered about a replicated table from the name `old` to `name`, except its settings.
    /// What was remembered under `name` before is removed.
    public static void rename(Transaction tx, String old, String name) {
        for (String table : BY_NAME) {
            delete(tx, table, name);
            tx.statement("UPDATE tmp_replication_%s SET name = ?2 WHERE name = ?1".formatted(table))
                    .bindText(1, old)
                    .bindText(2, name)
                    .run();
        }
    }

    private static void delete(Transaction tx, String table, String name) {
        tx.statement("DELETE FROM tmp_replication_%s WHERE name = ?1".formatted(table))
                .bindText(1, name)
                .run();
    }
}
