package dev.perigee.replication.drift;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyLookup;
import dev.perigee.replication.copy.NameList;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.replication.state.DriftRecords;
import dev.perigee.replication.state.DriftRecords.Suspicion;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.SqlNames;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// Checks whether a source is still the one that a copy's cursor comes from. A sync checks it in its own snapshot
/// before it applies anything. Sweeps, verifications and backfills check it in each of their snapshots, through
/// [dev.perigee.replication.check.SameTableSource].
///
/// Rows that are gone from the source raise no suspicion, because they may have been deleted. What raises it: another
/// server, database or table under the old name; another history (timeline) that may lack transactions; fewer
/// transactions than before; a sequence that was set back; a table that was emptied or rewritten at once. Then rows may
/// be missing behind the cursor, or deleted rows may be back, and no pull would show it.
public final class SourceIdentityCheck {
    /// How many of the copy's newest rows are compared with the source, when none of the source's rows is as it was.
    private static final int NEWEST_ROWS = 100;

    private static final String STATE = "Nothing was applied; the copy stays at its cursor and is served";

    /// The result of a check that raised no fault.
    ///
    /// @param now the source's identity; empty where the source cannot tell it
    /// @param newParts parts (partitions) that are new since the last sync: all their rows must be fetched, whatever
    ///     their cursors are
    /// @param isNewHistory whether the marks of earlier snapshots cannot be used to find what changed since
    /// @param isSeenOtherwise whether rows that nobody wrote may have become visible to the source's user, whatever
    ///     their cursors are
    /// @param notes what was found, for people
    public record Found(
            Optional<Identity> now,
            List<Long> newParts,
            boolean isNewHistory,
            boolean isSeenOtherwise,
            List<String> notes) {
        /// The result where there is nothing to compare with, or nothing differs.
        public static Found of(Optional<Identity> now) {
            return new Found(now, List.of(), false, false, List.of());
        }
    }

    private final Store store;
    private final TableConfig config;
    private final SourceTable table;
    private final Optional<HighWaterMark> seen;
    private final long rows;

    /// @param seen the copy's cursor
    /// @param rows the number of rows in the copy
    public SourceIdentityCheck(
            Store store, TableConfig config, SourceTable table, Optional<HighWaterMark> seen, long rows) {
        this.store = store;
        this.config = config;
        this.table = table;
        this.seen = seen;
        this.rows = rows;
    }

    /// Compares the source with what is remembered about it, and fails where the copy must not be synced from it.
    ///
    /// @param isRedefined whether the table's columns changed, which may have rewritten all its rows
    /// @throws PerigeeException [Fault#SOURCE_REPLACED], [Fault#SOURCE_BEHIND_CURSOR]; [Fault#SOURCE_SCHEMA_CHANGED] if
    ///     the table changed since it was described, so that the next sync can tell more
    public Found look(Snapshot snapshot, boolean isRedefined) {
        DriftRecords.Row known = store.read(ReplicationTables.READ_LIMIT, tx -> DriftRecords.find(tx, config.name()));
        known.suspicion().ifPresent(suspicion -> {
            throw fault(Fault.valueOf(suspicion.fault()), suspicion.what());
        });
        Optional<Identity> now = snapshot.identity(table);
        if (now.isEmpty() || known.identity().isEmpty()) return Found.of(now);
        return compare(known.identity().get(), now.get(), snapshot, isRedefined);
    }

    /// The check for a copy whose rows are all fetched again at each sync: only the server and the database must be the
    /// same. What happened to the table does not matter.
    ///
    /// @throws PerigeeException [Fault#SOURCE_REPLACED]
    public Found lookAtServer(Snapshot snapshot) {
        Optional<Identity> now = snapshot.identity(table);
        Optional<Identity> before = store.read(ReplicationTables.READ_LIMIT, tx -> DriftRecords.find(tx, config.name()))
                .identity();
        if (before.isPresent() && now.isPresent()) requireServer(before.get(), now.get());
        return Found.of(now);
    }

    private Found compare(Identity before, Identity now, Snapshot snapshot, boolean isRedefined) {
        requireSame(before, now);
        boolean isNewHistory = differs(before.server().timeline(), now.server().timeline());
        if (isNewHistory && !snapshot.continues(before).equals(Optional.of(true))) {
            throw fault(
                    Fault.SOURCE_BEHIND_CURSOR,
                    "its server is on timeline %d and was on timeline %d: it was restored, or it took over from another server and may have lost transactions that the copy has%s"
                            .formatted(
                                    now.server().timeline().orElseThrow(),
                                    before.server().timeline().orElseThrow(),
                                    behind(snapshot)));
        }
        boolean isStarted = !isNewHistory && now.wasStartedSince(before);
        Optional<Boolean> goesOn = isStarted ? snapshot.continues(before) : Optional.of(true);
        if (goesOn.equals(Optional.of(false))) {
            throw lasting(
                    now,
                    "its server was started again with less than it had written when the copy was synced: its files were put back to an older state, or a crash lost commits%s"
                            .formatted(behind(snapshot)));
        }
        if (!isNewHistory && now.progress().counter() < before.progress().counter()) {
            throw lasting(
                    now,
                    "its server has counted %d transactions, and had counted %d before: it went back%s"
                            .formatted(
                                    now.progress().counter(), before.progress().counter(), behind(snapshot)));
        }
        requireSequence(before, now);
        for (Map.Entry<Long, Long> part : before.table().storage().entrySet()) {
            Long file = now.table().storage().get(part.getKey());
            if (file == null) continue;
            boolean isOtherFile = !file.equals(part.getValue());
            // A crash empties an unlogged part, which keeps its file.
            boolean isUnlogged = now.table().unlogged().contains(part.getKey());
            if (isOtherFile || isUnlogged)
                requireRows(before, now, part.getKey(), snapshot, isRedefined && isOtherFile);
        }
        List<String> notes = new ArrayList<>();
        List<Long> newParts = now.table().storage().keySet().stream()
                .filter(part -> !before.table().storage().containsKey(part))
                .sorted()
                .toList();
        long gone = before.table().storage().keySet().stream()
                .filter(part -> !now.table().storage().containsKey(part))
                .count();
        if (!newParts.isEmpty())
            notes.add("%d partitions were attached; their rows are fetched".formatted(newParts.size()));
        if (gone > 0)
            notes.add("%d partitions were detached; their rows leave the copy as deleted rows do".formatted(gone));
        if (isNewHistory) notes.add("another server took over, and has all that was seen of the server before it");
        if (goesOn.isEmpty())
            notes.add(
                    "the server was started again, and it can no longer be seen whether it lost anything; a verification can tell");
        boolean isSeenOtherwise = now.isSeenOtherwise(before);
        if (isSeenOtherwise)
            notes.add(
                    "what decides which rows the source's user sees, such as a policy, a role or a setting, was changed; all rows are fetched");
        return new Found(Optional.of(now), newParts, isNewHistory || goesOn.isEmpty(), isSeenOtherwise, notes);
    }

    private void requireServer(Identity before, Identity now) {
        if (differs(before.server().system(), now.server().system())) {
            throw fault(
                    Fault.SOURCE_REPLACED, "another server answers under its address: its system identifier differs");
        }
        if (before.server().database() != now.server().database()) {
            throw fault(Fault.SOURCE_REPLACED, "its database was created again under the same name: its OID differs");
        }
    }

    private void requireSame(Identity before, Identity now) {
        requireServer(before, now);
        if (before.table().number() != now.table().number()) {
            throw fault(
                    Fault.SOURCE_REPLACED,
                    "the table was dropped and created again under the same name: its OID was %d and is %d"
                            .formatted(before.table().number(), now.table().number()));
        }
    }

    private void requireSequence(Identity before, Identity now) {
        Optional<Integer> cursor = config.cursorColumn().flatMap(table::column).map(column -> column.identity());
        Long was = cursor.map(before.table().sequences()::get).orElse(null);
        Long is = cursor.map(now.table().sequences()::get).orElse(null);
        if (was == null || is == null || is >= was) return;
        throw lasting(now, "the sequence of its cursor was set back, so new rows get values behind the cursor");
    }

    /// Makes sure that a part still has rows as they were, although it has another file or is unlogged. VACUUM FULL
    /// changes the file and leaves the rows as they were. TRUNCATE leaves none. A new definition may rewrite all of
    /// them.
    private void requireRows(Identity before, Identity now, long part, Snapshot snapshot, boolean isRedefined) {
        boolean isRefreshed = table.kind() == SourceTable.Kind.MATERIALIZED_VIEW;
        if (isRefreshed || rows == 0) return;
        if (!isRedefined && !snapshot.isAsDescribed(table)) {
            throw fault(Fault.SOURCE_SCHEMA_CHANGED, "its definition was changed after Perigee had read it");
        }
        boolean isAhead = behind(snapshot).isEmpty();
        boolean isKept = isRedefined
                ? isAhead
                : snapshot.keepsRowsOf(table, before, part).orElse(isAhead) || (isAhead && hasNewestRows(snapshot));
        if (isKept) return;
        throw lasting(
                now,
                "it was emptied or rewritten at once, as by %s: no row is left as it was%s"
                        .formatted(
                                now.table().unlogged().contains(part)
                                        ? "a crash of its server, which empties unlogged tables, or by TRUNCATE"
                                        : "TRUNCATE",
                                behind(snapshot)));
    }

    /// Whether the newest rows of the copy are all at the source, and at least half of them with the copy's values.
    /// That holds after pg_repack has written every row to another file. It does not hold for rows that were inserted
    /// after a TRUNCATE, or restored from a backup.
    private boolean hasNewestRows(Snapshot snapshot) {
        CopyDefinition definition = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, config.name()))
                .flatMap(TableState::definition)
                .filter(made -> !made.key().isEmpty())
                .orElse(null);
        if (definition == null) return false;
        List<List<String>> keys = newestKeys(definition);
        if (keys.isEmpty()) return false;
        Pull pull = new Pull(
                table,
                definition.columnNames(),
                definition.key(),
                new Scope.Keys(keys),
                NEWEST_ROWS,
                config.numeric(),
                config.timestamps());
        CopyLookup lookup = new CopyLookup(definition);
        AtomicInteger same = new AtomicInteger();
        try (PageByPage pages = new PageByPage(
                definition.columns().size(),
                NEWEST_ROWS,
                page -> store.read(ReplicationTables.READ_LIMIT, tx -> {
                    for (int row = 0; row < page.rowCount(); row++) {
                        if (lookup.compare(tx, page, row) == CopyLookup.Finding.SAME) same.incrementAndGet();
                    }
                    return true;
                }))) {
            return snapshot.pull(pull.sendingLeaving(), pages) == keys.size() && 2 * same.get() >= keys.size();
        }
    }

    private List<List<String>> newestKeys(CopyDefinition definition) {
        boolean isEpoch = config.timestamps() == TableConfig.TimestampStorage.EPOCH_MICROS;
        SourceText text = new SourceText(table, definition, isEpoch);
        Optional<String> order = definition
                .cursorColumn()
                .filter(definition.columnNames()::contains)
                .map(SqlNames::quoted)
                .or(definition::rowid);
        return store.read(ReplicationTables.READ_LIMIT, tx -> {
            List<List<String>> keys = new ArrayList<>();
            SqliteStatement rows = tx.statement("SELECT %s FROM %s%s LIMIT %d"
                    .formatted(
                            SqlNames.quoted(definition.key()),
                            SqlNames.quoted(definition.target()),
                            order.map(column -> " ORDER BY %s DESC".formatted(column))
                                    .orElse(""),
                            NEWEST_ROWS));
            while (rows.step()) {
                List<Value> key = new ArrayList<>();
                for (int i = 0; i < definition.key().size(); i++) key.add(rows.valueAt(i));
                text.key(key).map(NameList::ofJson).ifPresent(keys::add);
            }
            return keys;
        });
    }

    private String behind(Snapshot snapshot) {
        boolean isBehind = config.cursorColumn().isPresent()
                && seen.isPresent()
                && snapshot.isBehind(table, config.cursorColumn().get(), seen.get());
        return isBehind ? "; its greatest cursor value is less than the copy's" : "";
    }

    /// Remembers the fault, so that every sync fails with it until the copy is recovered: what showed it may be gone at
    /// the next check. On a standby it is not remembered, because a standby that lags catches up by itself.
    private PerigeeException lasting(Identity now, String what) {
        if (!now.server().isStandby()) {
            Suspicion suspicion = new Suspicion(Fault.SOURCE_BEHIND_CURSOR.name(), what);
            store.write(tx -> {
                DriftRecords.suspicion(tx, config.name(), suspicion);
                return true;
            });
        }
        return fault(Fault.SOURCE_BEHIND_CURSOR, what);
    }

    private PerigeeException fault(Fault fault, String what) {
        boolean isLasting = fault != Fault.SOURCE_SCHEMA_CHANGED;
        return isLasting
                ? fault.in("table " + config.name(), what, STATE, Remedies.recover(config.name()))
                : fault.in("table " + config.name(), what, STATE);
    }

    private static boolean differs(Optional<?> before, Optional<?> now) {
        return before.isPresent() && now.isPresent() && !before.equals(now);
    }
}
