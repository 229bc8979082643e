package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.copy.CopyLookup;
import dev.perigee.replication.copy.PageByPage;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.replication.copy.Upsert;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import dev.perigee.store.TransactionWork;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// Compares single rows that seemed to differ between source and copy a second time, and repairs them if asked.
///
/// A check compares while syncs write rows, so the rows it finds are only suspects. This class reads each suspect's key
/// in a fresh snapshot of the source while no sync runs: the caller is inside
/// [dev.perigee.replication.run.TableRunner#exclusively]. A row that the next sync would fetch anyway is behind, not
/// lost ([PendingRows]). Of all other rows the copy must have exactly what the source has. SQLite itself decides
/// whether two rows are equal, with the comparison that syncs use.
///
/// A missing or different row is written as the source sent it. A row is removed only after the source's answer about
/// its key was complete and did not contain it.
final class Recheck {
    /// Keys compared in one call at most, because syncs of the table wait meanwhile.
    static final int MAX_KEYS = 20_000;

    /// What the recheck may change in the copy.
    ///
    /// @param upserts whether rows that are missing or differ are written
    /// @param deletes whether rows that the source does not have are removed
    record Fixes(boolean upserts, boolean deletes) {
        static final Fixes NONE = new Fixes(false, false);
        static final Fixes DELETES = new Fixes(false, true);
        static final Fixes ALL = new Fixes(true, true);
    }

    /// The number of rows found in each state. If a kind of fix was allowed, these rows have been fixed.
    ///
    /// @param missing rows that only the source has
    /// @param different rows whose values differ
    /// @param extra rows that only the copy has
    /// @param pending rows that the next sync fetches
    /// @param same rows that are equal by now, or gone on both sides
    record Found(long missing, long different, long extra, long pending, long same) {
        static final Found NOTHING = new Found(0, 0, 0, 0, 0);

        Found plus(Found other) {
            return new Found(
                    missing + other.missing,
                    different + other.different,
                    extra + other.extra,
                    pending + other.pending,
                    same + other.same);
        }

        /// The number of rows in which source and copy really differ.
        long differences() {
            return missing + different + extra;
        }
    }

    private final Store store;
    private final Source source;

    Recheck(Store store, Source source) {
        this.store = store;
        this.source = source;
    }

    /// Compares the rows with these keys, in one snapshot.
    ///
    /// @param keys the keys as the copy stores them, at most [#MAX_KEYS]
    /// @param cancellation checked between two questions to the source; rows written before stay and are correct
    /// @throws dev.perigee.fault.PerigeeException as [CheckTarget#of]; a `SOURCE_*` fault. No row was removed without a
    ///     complete answer of the source
    Found look(TableConfig config, Collection<StoredKey> keys, Fixes fixes, SyncCancellation cancellation) {
        if (keys.size() > MAX_KEYS) throw new IllegalArgumentException(keys.size() + " keys at once");
        if (keys.isEmpty()) return Found.NOTHING;
        CheckTarget copy = CheckTarget.of(store, source, config);
        return source.snapshot(
                copy.where(),
                List.of(copy.table().id()),
                snapshot -> new Look(copy, snapshot, fixes, cancellation).at(keys));
    }

    /// The work in one snapshot.
    private final class Look {
        private final CheckTarget copy;
        private final Snapshot snapshot;
        private final Fixes fixes;
        private final SyncCancellation cancellation;
        private final CopyLookup lookup;
        private final Upsert upsert;
        private Found found = Found.NOTHING;

        Look(CheckTarget copy, Snapshot snapshot, Fixes fixes, SyncCancellation cancellation) {
            this.copy = copy;
            this.snapshot = snapshot;
            this.fixes = fixes;
            this.cancellation = cancellation;
            this.lookup = new CopyLookup(copy.definition());
            this.upsert = new Upsert(copy.definition(), copy.target());
        }

        Found at(Collection<StoredKey> keys) {
            Set<StoredKey> left = new HashSet<>(keys);
            Set<StoredKey> pending = PendingRows.among(left, copy, snapshot);
            left.removeAll(pending);
            found = new Found(0, 0, 0, pending.size(), 0);
            List<StoredKey> readable = new ArrayList<>();
            List<List<String>> texts = new ArrayList<>();
            for (StoredKey key : left) {
                copy.keyText(key).ifPresent(text -> {
                    readable.add(key);
                    texts.add(text);
                });
            }
            for (int from = 0; from < readable.size(); from += Scope.Keys.MAX_KEYS) {
                int to = Math.min(from + Scope.Keys.MAX_KEYS, readable.size());
                Set<StoredKey> part = new HashSet<>(readable.subList(from, to));
                left.removeAll(part);
                look(new Scope.Keys(texts.subList(from, to)), part);
            }
            // Keys whose text the source cannot read are searched for by reading the whole table.
            if (!left.isEmpty()) look(new Scope.Changed(Optional.empty()), left);
            return found;
        }

        /// @param left the keys to look for; found ones are taken out, so that in the end the absent ones are left
        private void look(Scope scope, Set<StoredKey> left) {
            int columns = copy.definition().columns().size();
            int[] keyColumns = copy.keyColumns();
            try (PageByPage pages =
                    new PageByPage(columns, Scope.Keys.MAX_KEYS, page -> present(page, keyColumns, left))) {
                snapshot.pull(copy.pull(scope, Scope.Keys.MAX_KEYS), pages);
            }
            cancellation.check();
            // Only here is it certain that the answer was complete.
            if (!left.isEmpty()) add(inTransaction(fixes.deletes(), tx -> absent(tx, left)));
        }

        private void present(Batch page, int[] keyColumns, Set<StoredKey> left) {
            cancellation.check();
            List<Integer> rows = new ArrayList<>();
            for (int row = 0; row < page.rowCount(); row++) {
                // A row that the source marks as deleted counts as absent.
                boolean isWanted = copy.isWanted(page, row);
                if (isWanted && left.remove(StoredKey.of(page, row, keyColumns))) rows.add(row);
            }
            if (!rows.isEmpty()) add(inTransaction(fixes.upserts(), tx -> compared(tx, page, rows)));
        }

        private Found compared(Transaction tx, Batch page, List<Integer> rows) {
            long missing = 0;
            long different = 0;
            try (Batch wrong = new Batch(page.columns(), rows.size(), PageByPage.PAGE_BYTES)) {
                for (int row : rows) {
                    CopyLookup.Finding finding = lookup.compare(tx, page, row);
                    if (finding == CopyLookup.Finding.SAME) continue;
                    if (finding == CopyLookup.Finding.MISSING) missing++;
                    else different++;
                    for (int column = 0; column < page.columns(); column++) wrong.put(page.value(row, column));
                    wrong.endRow();
                }
                if (fixes.upserts() && wrong.rowCount() > 0) {
                    RowCounts counts = upsert.apply(tx, wrong);
                    StateRecords.grew(tx, copy.config().name(), counts.growth());
                }
            }
            return new Found(missing, different, 0, 0, rows.size() - missing - different);
        }

        private Found absent(Transaction tx, Set<StoredKey> keys) {
            long extra = 0;
            for (StoredKey key : keys) {
                if (fixes.deletes() ? lookup.delete(tx, key) : lookup.isThere(tx, key)) extra++;
            }
            if (fixes.deletes()) StateRecords.grew(tx, copy.config().name(), -extra);
            return new Found(0, 0, extra, 0, keys.size() - extra);
        }

        private Found inTransaction(boolean isWriting, TransactionWork<Found> work) {
            Found part = isWriting ? store.write(work) : store.read(ReplicationTables.READ_LIMIT, work);
            return Objects.requireNonNull(part);
        }

        private void add(Found part) {
            found = found.plus(part);
        }
    }
}
