package dev.perigee.replication.state;

import dev.perigee.plugin.Json;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.NameList;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Obstacle;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `tmp_replication_state`: where each copy stands, one row per replicated table. Every method works inside the
/// caller's transaction. [#find] and [#all] also read the table's row in `tmp_replication_drift` and count its rows set
/// aside.
public final class StateRecords {
    private static final String SELECT = """
            SELECT name, target, definition, cursor, cursor_key, pages, generation, loaded, needs_resync, shadow,
                   row_count, rows_pulled, text_numbers, last_sync_at, fresh_at, next_sync_at, failures,
                   error_fault, error_message, error_remedy, error_at,
                   sealing, looked_since, complete_as_of, position, guarantee, held_by, client_seen,
                   (SELECT d.backfill FROM tmp_replication_drift d WHERE d.name = tmp_replication_state.name),
                   (SELECT d.recovering FROM tmp_replication_drift d WHERE d.name = tmp_replication_state.name),
                   (SELECT count(*) FROM tmp_replication_set_aside AS s
                    WHERE s.name = tmp_replication_state.name AND s.pending = 0),
                   obstacles
            FROM tmp_replication_state""";

    private StateRecords() {}

    /// Inserts a row for the table unless it has one.
    public static void ensure(Transaction tx, String name) {
        tx.statement("INSERT INTO tmp_replication_state (name) VALUES (?1) ON CONFLICT DO NOTHING")
                .bindText(1, name)
                .run();
    }

    public static Optional<TableState> find(Transaction tx, String name) {
        return read(tx.statement(SELECT + " WHERE name = ?1").bindText(1, name)).stream()
                .findFirst();
    }

    /// The states of some tables, by their names. A table that has none is left out.
    public static Map<String, TableState> of(Transaction tx, Collection<String> names) {
        Map<String, TableState> states = new HashMap<>();
        for (String name : names) find(tx, name).ifPresent(state -> states.put(name, state));
        return states;
    }

    public static List<TableState> all(Transaction tx) {
        return read(tx.statement(SELECT + " ORDER BY name"));
    }

    /// The replicated table whose copy or shadow has this name in the replica, in any case.
    public static Optional<String> ownerOf(Transaction tx, String target) {
        SqliteStatement find = tx.statement(
                "SELECT name FROM tmp_replication_state WHERE target = ?1 COLLATE NOCASE OR shadow = ?1 COLLATE NOCASE");
        try {
            return find.bindText(1, target).step() ? Optional.ofNullable(find.textAt(0)) : Optional.empty();
        } finally {
            find.reset();
        }
    }

    /// Records that a new, empty copy was created.
    public static void made(Transaction tx, String name, CopyDefinition definition) {
        tx.statement("""
                UPDATE tmp_replication_state
                SET target = ?2, definition = ?3, cursor = NULL, cursor_key = NULL, pages = pages + 1, loaded = 0,
                    needs_resync = 0, row_count = 0, text_numbers = 0,
                    sealing = NULL, looked_since = NULL, complete_as_of = NULL, guarantee = NULL, held_by = NULL
                WHERE name = ?1""")
                .bindText(1, name)
                .bindText(2, definition.target())
                .bindText(3, Json.MAPPER.writeValueAsString(definition))
                .run();
    }

    /// Records that an existing table of the replica becomes the copy. How it was made is unknown, so everything is
    /// fetched again.
    public static void adopted(Transaction tx, String name, String target) {
        tx.statement("""
                UPDATE tmp_replication_state
                SET target = ?2, definition = NULL, cursor = NULL, cursor_key = NULL, loaded = 0, needs_resync = 1,
                    row_count = (SELECT count(*) FROM %s), text_numbers = 0, sealing = NULL, looked_since = NULL,
                    complete_as_of = NULL, guarantee = NULL, held_by = NULL
                WHERE name = ?1""".formatted(SqlNames.quoted(target)))
                .bindText(1, name)
                .bindText(2, target)
                .run();
        DriftRecords.forget(tx, name);
    }

    /// Records a page that was applied to the copy, and moves the cursor to its end.
    ///
    /// @param after the number of pages applied before this one
    /// @param mark the page's end; empty where the page does not move the cursor
    /// @param textNumbers numbers of the page that are stored as text, because no SQLite number has all their digits
    /// @throws IllegalStateException if another number of pages was applied before: a page is missing
    public static void advance(
            Transaction tx, String name, long after, Optional<HighWaterMark> mark, RowCounts counts, long textNumbers) {
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_state
                SET pages = ?2 + 1, cursor = coalesce(?3, cursor), cursor_key = coalesce(?4, cursor_key),
                    row_count = row_count + ?5, rows_pulled = rows_pulled + ?6, text_numbers = text_numbers + ?7
                WHERE name = ?1 AND pages = ?2""");
        update.bindText(1, name)
                .bindInt(2, after)
                .bindText(3, mark.flatMap(HighWaterMark::cursor).orElse(null))
                .bindText(4, mark.map(m -> NameList.toJson(m.key())).orElse(null))
                .bindInt(5, counts.growth())
                .bindInt(6, counts.pulled())
                .bindInt(7, textNumbers)
                .run();
        requireOneRow(tx, name, after);
        if (counts.isChange()) tx.copyChanged();
    }

    /// Remembers the snapshot that the first rows of a load came from. Later syncs look for late rows from that moment
    /// on. Does nothing where one is remembered already.
    public static void loadingSince(Transaction tx, String name, String moment) {
        tx.statement("""
                UPDATE tmp_replication_state SET looked_since = ?2
                WHERE name = ?1 AND looked_since IS NULL AND loaded = 0 AND sealing IS NULL""").bindText(1, name).bindText(2, moment).run();
    }

    /// Records a page that was applied to a shadow or stage. The copy and its cursor stay as they are.
    public static void advanceAside(Transaction tx, String name, long after, RowCounts counts) {
        tx.statement("""
                UPDATE tmp_replication_state SET pages = ?2 + 1, rows_pulled = rows_pulled + ?3
                WHERE name = ?1 AND pages = ?2""")
                .bindText(1, name)
                .bindInt(2, after)
                .bindInt(3, counts.pulled())
                .run();
        requireOneRow(tx, name, after);
    }

    /// Records that the rows of a stage were merged into the copy, and moves the cursor.
    public static void merged(
            Transaction tx, String name, Optional<HighWaterMark> mark, RowCounts counts, long textNumbers) {
        tx.statement("""
                UPDATE tmp_replication_state
                SET cursor = coalesce(?2, cursor), cursor_key = coalesce(?3, cursor_key), row_count = row_count + ?4,
                    text_numbers = text_numbers + ?5
                WHERE name = ?1""")
                .bindText(1, name)
                .bindText(2, mark.flatMap(HighWaterMark::cursor).orElse(null))
                .bindText(3, mark.map(m -> NameList.toJson(m.key())).orElse(null))
                .bindInt(4, counts.growth())
                .bindInt(5, textNumbers)
                .run();
        if (counts.isChange()) tx.copyChanged();
    }

    /// Records the outcome of a sync after all rows of its snapshot are in the copy.
    public static void followed(Transaction tx, String name, SyncOutcome followed) {
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_state
                SET sealing = ?2, looked_since = ?3, complete_as_of = coalesce(?4, complete_as_of), position = ?5,
                    guarantee = ?6, held_by = ?7, client_seen = ?8, obstacles = ?9
                WHERE name = ?1""");
        Sealing sealing = followed.sealing();
        update.bindText(1, name)
                .bindText(2, SealingText.of(sealing))
                .bindText(3, sealing.lookedSince().orElse(null));
        bindInstant(update, 4, followed.completeAsOf());
        update.bindText(5, followed.position().orElse(null))
                .bindText(6, followed.guarantee().orElse(null))
                .bindText(
                        7,
                        followed.heldBy().map(Json.MAPPER::writeValueAsString).orElse(null))
                .bindInt(8, followed.isClientSeen() ? 1 : 0)
                .bindText(
                        9, followed.obstacles().isEmpty() ? null : Json.MAPPER.writeValueAsString(followed.obstacles()))
                .run();
    }

    /// Records up to when a copy has everything, where that is later than what is recorded.
    public static void unchangedAsOf(Transaction tx, String name, Instant complete, Instant fresh) {
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_state SET complete_as_of = ?2, fresh_at = ?3
                WHERE name = ?1 AND complete_as_of < ?2""");
        update.bindText(1, name);
        bindInstant(update, 2, Optional.of(complete));
        bindInstant(update, 3, Optional.of(fresh));
        update.run();
    }

    /// Adds `rows` to the copy's row count, for rows that were inserted or deleted (negative) other than by a page.
    public static void grew(Transaction tx, String name, long rows) {
        tx.statement("UPDATE tmp_replication_state SET row_count = row_count + ?2 WHERE name = ?1")
                .bindText(1, name)
                .bindInt(2, rows)
                .run();
        tx.copyChanged();
    }

    /// Adds to the counts of a table what the source's log has changed in its copy.
    public static void applied(Transaction tx, String name, RowCounts counts) {
        tx.statement("""
                UPDATE tmp_replication_state SET row_count = row_count + ?2, rows_pulled = rows_pulled + ?3
                WHERE name = ?1""")
                .bindText(1, name)
                .bindInt(2, counts.growth())
                .bindInt(3, counts.pulled())
                .run();
        if (counts.isChange()) tx.copyChanged();
    }

    /// Records the snapshot since which changed rows may not be in the copy yet.
    public static void looked(Transaction tx, String name, String mark) {
        tx.statement("UPDATE tmp_replication_state SET looked_since = ?2 WHERE name = ?1")
                .bindText(1, name)
                .bindText(2, mark)
                .run();
    }

    /// Records the name of the shadow that a resync fills; empty for none.
    public static void shadow(Transaction tx, String name, Optional<String> shadow) {
        tx.statement("UPDATE tmp_replication_state SET shadow = ?2 WHERE name = ?1")
                .bindText(1, name)
                .bindText(2, shadow.orElse(null))
                .run();
    }

    /// Records that the shadow has replaced the copy.
    public static void swapped(
            Transaction tx,
            String name,
            CopyDefinition definition,
            Optional<HighWaterMark> mark,
            long rowCount,
            long textNumbers) {
        tx.statement("""
                UPDATE tmp_replication_state
                SET target = ?2, definition = ?3, cursor = ?4, cursor_key = ?5, row_count = ?6, text_numbers = ?7, shadow = NULL,
                    needs_resync = 0, generation = generation + 1, pages = pages + 1
                WHERE name = ?1""")
                .bindText(1, name)
                .bindText(2, definition.target())
                .bindText(3, Json.MAPPER.writeValueAsString(definition))
                .bindText(4, mark.flatMap(HighWaterMark::cursor).orElse(null))
                .bindText(5, mark.map(m -> NameList.toJson(m.key())).orElse(null))
                .bindInt(6, rowCount)
                .bindInt(7, textNumbers)
                .run();
        tx.copyChanged();
    }

    /// Records a new definition of the copy, which keeps its rows and its cursor.
    public static void redefined(Transaction tx, String name, CopyDefinition definition) {
        tx.statement("UPDATE tmp_replication_state SET definition = ?2 WHERE name = ?1")
                .bindText(1, name)
                .bindText(2, Json.MAPPER.writeValueAsString(definition))
                .run();
    }

    /// Sets the copy's marks to where the source stands now, for a recovery. Rows of the copy below these marks are
    /// repaired separately.
    public static void rebased(Transaction tx, String name, Optional<HighWaterMark> mark, Sealing sealing) {
        tx.statement("""
                UPDATE tmp_replication_state
                SET cursor = ?2, cursor_key = ?3, sealing = ?4, looked_since = ?5, complete_as_of = NULL, held_by = NULL
                WHERE name = ?1""")
                .bindText(1, name)
                .bindText(2, mark.flatMap(HighWaterMark::cursor).orElse(null))
                .bindText(3, mark.map(m -> NameList.toJson(m.key())).orElse(null))
                .bindText(4, SealingText.of(sealing))
                .bindText(5, sealing.lookedSince().orElse(null))
                .run();
    }

    /// Counts the rows of the copy again, which reads the whole copy.
    public static void recount(Transaction tx, String name) {
        find(tx, name)
                .flatMap(TableState::target)
                .ifPresent(target -> tx.statement("""
                UPDATE tmp_replication_state SET row_count = (SELECT count(*) FROM %s) WHERE name = ?1""".formatted(SqlNames.quoted(target)))
                        .bindText(1, name)
                        .run());
    }

    /// Records that the next sync must fetch everything again. A crash does not lose this.
    public static void needsResync(Transaction tx, String name) {
        tx.statement("UPDATE tmp_replication_state SET needs_resync = 1 WHERE name = ?1")
                .bindText(1, name)
                .run();
    }

    /// Records a sync that succeeded, and clears the last error.
    ///
    /// @param fresh the copy is not older than this; empty where that is not known, and then the earlier value stays
    /// @param next when the table is due; a server takes empty as due at once
    public static void succeeded(
            Transaction tx, String name, Optional<Instant> fresh, Instant finished, Optional<Instant> next) {
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_state
                SET loaded = 1, last_sync_at = ?2, fresh_at = coalesce(?3, fresh_at), next_sync_at = ?4, failures = 0,
                    error_fault = NULL, error_message = NULL, error_remedy = NULL, error_at = NULL
                WHERE name = ?1""");
        update.bindText(1, name).bindInt(2, finished.toEpochMilli());
        bindInstant(update, 3, fresh);
        bindInstant(update, 4, next);
        update.run();
    }

    /// Records a sync that failed.
    ///
    /// @param next when the table is due; a server takes empty as due at once
    public static void failed(Transaction tx, String name, Problem problem, Instant at, Optional<Instant> next) {
        SqliteStatement update = tx.statement("""
                UPDATE tmp_replication_state
                SET failures = failures + 1, error_fault = ?2, error_message = ?3, error_remedy = ?4, error_at = ?5,
                    next_sync_at = ?6
                WHERE name = ?1""");
        update.bindText(1, name)
                .bindText(2, problem.fault())
                .bindText(3, problem.message())
                .bindText(4, problem.remedy())
                .bindInt(5, at.toEpochMilli());
        bindInstant(update, 6, next);
        update.run();
    }

    public static void dueAt(Transaction tx, String name, Optional<Instant> next) {
        SqliteStatement update = tx.statement("UPDATE tmp_replication_state SET next_sync_at = ?2 WHERE name = ?1");
        bindInstant(update.bindText(1, name), 2, next);
        update.run();
    }

    private static void requireOneRow(Transaction tx, String name, long after) {
        if (tx.connection().changes() != 1) {
            throw new IllegalStateException(
                    "table %s: the page after page %d was applied out of order".formatted(name, after));
        }
    }

    private static void bindInstant(SqliteStatement statement, int index, Optional<Instant> instant) {
        if (instant.isPresent()) statement.bindInt(index, instant.get().toEpochMilli());
        else statement.bindNull(index);
    }

    private static List<TableState> read(SqliteStatement rows) {
        List<TableState> states = new ArrayList<>();
        while (rows.step()) {
            states.add(new TableState(
                    String.valueOf(rows.textAt(0)), copy(rows), pulled(rows), outcome(rows), gaps(rows), syncs(rows)));
        }
        return states;
    }

    private static TableState.Copy copy(SqliteStatement row) {
        return new TableState.Copy(
                text(row, 1),
                text(row, 2).map(json -> Json.MAPPER.readValue(json, CopyDefinition.class)),
                text(row, 9),
                row.intAt(6),
                row.intAt(7) != 0,
                row.intAt(8) != 0,
                row.intAt(10),
                row.intAt(12));
    }

    private static TableState.Pulled pulled(SqliteStatement row) {
        return new TableState.Pulled(
                text(row, 4).map(key -> new HighWaterMark(text(row, 3), NameList.ofJson(key))),
                row.intAt(5),
                row.intAt(11));
    }

    private static SyncOutcome outcome(SqliteStatement row) {
        return new SyncOutcome(
                SealingText.read(text(row, 21), text(row, 22)),
                instant(row, 23),
                text(row, 24),
                text(row, 25),
                text(row, 26).map(json -> Json.MAPPER.readValue(json, Horizon.Holder.class)),
                row.intAt(27) != 0,
                text(row, 31)
                        .map(json -> List.of(Json.MAPPER.readValue(json, Obstacle[].class)))
                        .orElse(List.of()));
    }

    private static TableState.Gaps gaps(SqliteStatement row) {
        return new TableState.Gaps(
                text(row, 28).map(json -> Json.MAPPER.readValue(json, ColumnBackfill.class)),
                row.intAt(29) != 0,
                row.intAt(30));
    }

    private static TableState.Syncs syncs(SqliteStatement row) {
        Optional<Problem> error = text(row, 17)
                .map(fault -> new Problem(
                        fault, text(row, 18).orElse(""), text(row, 19).orElse("")));
        return new TableState.Syncs(
                instant(row, 13), instant(row, 14), instant(row, 15), (int) row.intAt(16), error, instant(row, 20));
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
