package dev.perigee.replication.sync;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.copy.RowRefusals;
import dev.perigee.replication.copy.SourceText;
import dev.perigee.replication.copy.Upsert;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.SetAsideRecords;
import dev.perigee.source.RefusedRow;
import dev.perigee.source.Scope;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Applies the pages of one run. A row that cannot be stored does not hold up the others: it is set aside in the
/// transaction of its page. It is forgotten once it is stored or gone from the source.
///
/// This costs nothing while all rows can be stored. While rows are set aside, the key of each row that arrives is
/// looked up among theirs.
public final class SetAsideRows {
    private final String name;
    private final SourceText text;
    private final Upsert upsert;
    private final boolean isPending;
    private final boolean isMerged;
    private final long run;

    // The keys set aside, with the name of the fault. Written on the writer thread, and read between two passes.
    private final Map<String, String> known = new ConcurrentHashMap<>();
    private final Set<String> returned = ConcurrentHashMap.newKeySet();
    private final Set<String> cleared = ConcurrentHashMap.newKeySet();
    private List<String> due = List.of();
    private boolean isNullKeysRead;
    private volatile boolean isRetrying;

    /// @param isPending whether rows go into a shadow or stage instead of the copy
    /// @param isMerged whether that table is a stage, which is merged into the copy and does not replace it
    /// @param run the number of the run
    public SetAsideRows(String name, SourceText text, Upsert upsert, boolean isPending, boolean isMerged, long run) {
        this.name = name;
        this.text = text;
        this.upsert = upsert;
        this.isPending = isPending;
        this.isMerged = isMerged;
        this.run = run;
    }

    /// Reads which rows are set aside so far. Called once, before the first page. A shadow begins with none.
    public void begin(Store store, Instant now) {
        if (isPending && !isMerged) return;
        List<SetAsideRecords.Known> rows =
                store.read(ReplicationTables.READ_LIMIT, tx -> SetAsideRecords.known(tx, name, now));
        rows.forEach(row -> known.put(row.key(), row.fault()));
        due = rows.stream()
                .filter(SetAsideRecords.Known::isDue)
                .map(SetAsideRecords.Known::key)
                .toList();
    }

    /// Applies a page and sets aside the rows that cannot be stored. Runs on the writer thread, in the transaction of
    /// the page.
    ///
    /// @param refused rows of the page that could not even be put into the batch
    ///
    /// @param isFirst whether no row of the page can be in the table yet
    public RowCounts apply(Transaction tx, Batch page, List<RefusedRow> refused, boolean isFirst, Instant now) {
        Set<Integer> failed = new HashSet<>();
        RowRefusals refusals = (row, reason) -> {
            failed.add(row);
            put(tx, new SetAsideRecords.Entry(text.key(page, row), reason, text.of(page, row)), now);
        };
        RowCounts counts = isFirst ? upsert.load(tx, page, refusals) : upsert.apply(tx, page, refusals);
        for (RefusedRow row : refused) {
            Optional<String> key = text.key(row.key());
            put(tx, new SetAsideRecords.Entry(key, row.reason(), text.of(row)), now);
            key.ifPresent(returned::add);
        }
        boolean isRetry = isRetrying;
        if (!isRetry && known.isEmpty()) return counts;
        for (int row = 0; row < page.rowCount(); row++) {
            Optional<String> key = text.key(page, row);
            if (key.isEmpty()) continue;
            boolean isSame = isRetry && !returned.add(key.get());
            if (isSame) {
                PerigeeException same = Upsert.sameKey(name);
                put(tx, new SetAsideRecords.Entry(key, same, text.of(page, row)), now);
            } else if (!failed.contains(row) && mayClear(key.get(), isRetry)) {
                clear(tx, key.get());
            }
        }
        return counts;
    }

    /// Takes all keys that several rows of the source share, as just found. Their rows are fetched next, and of each
    /// key all rows but one are set aside. Rows whose key is no longer shared are fetched too, because they may be
    /// stored now. A key that has no text is set aside at once.
    void shared(Store store, List<List<Value>> keys, Instant now) {
        Set<String> shared = new LinkedHashSet<>();
        List<List<Value>> unnamed = new ArrayList<>();
        for (List<Value> key : keys) text.key(key).ifPresentOrElse(shared::add, () -> unnamed.add(key));
        Set<String> wanted = new LinkedHashSet<>(due);
        shared.stream().filter(key -> !known.containsKey(key)).forEach(wanted::add);
        known.forEach((key, fault) -> {
            if (fault.equals(Fault.KEY_MISSING.name()) && !shared.contains(key)) wanted.add(key);
        });
        due = List.copyOf(wanted);
        if (unnamed.isEmpty()) return;
        PerigeeException reason = Upsert.sameKey(name);
        store.write(tx -> {
            unnamed.forEach(key -> put(tx, new SetAsideRecords.Entry(Optional.empty(), reason, text.ofKey(key)), now));
            return true;
        });
    }

    /// The keys to fetch again now, in portions of at most [Scope.Keys#MAX_KEYS]. From now on, each page that is
    /// applied is taken for rows of these keys.
    List<List<String>> due() {
        isRetrying = true;
        List<List<String>> portions = new ArrayList<>();
        for (int from = 0; from < due.size(); from += Scope.Keys.MAX_KEYS) {
            portions.add(due.subList(from, Math.min(due.size(), from + Scope.Keys.MAX_KEYS)));
        }
        return portions;
    }

    /// Forgets the keys of `portion` whose rows did not come although they were asked for: these rows are gone from the
    /// source.
    void retried(Store store, List<String> portion) {
        store.write(tx -> {
            portion.stream().filter(key -> !returned.contains(key)).forEach(key -> clear(tx, key));
            return true;
        });
    }

    /// To be called when all rows with a NULL in their key were read. Forgets such rows if this run did not meet them.
    void nullKeysRead(Store store) {
        isNullKeysRead = true;
        store.write(tx -> {
            SetAsideRecords.keepNullKeysOf(tx, name, isPending, run);
            return true;
        });
    }

    /// Whether the row with this key is set aside.
    public boolean isSetAside(String key) {
        return known.containsKey(key);
    }

    /// The number of keys whose rows are set aside.
    public int count() {
        return known.size();
    }

    /// Forgets all rows that are set aside, because the table was emptied.
    public void emptied(Transaction tx) {
        SetAsideRecords.emptied(tx, name);
        known.clear();
    }

    /// To be called when the shadow replaces the copy, in the same transaction.
    void swapped(Transaction tx) {
        SetAsideRecords.swapped(tx, name);
    }

    /// Merges the stage into `copy`, in the transaction that ends the run.
    RowCounts merge(Transaction tx, String copy, Instant now) {
        RowCounts counts = upsert.merge(tx, copy, (batch, row, reason) -> {
            put(tx, new SetAsideRecords.Entry(text.key(batch, row), reason, text.of(batch, row)), now);
        });
        cleared.forEach(key -> SetAsideRecords.remove(tx, name, false, key));
        SetAsideRecords.merged(tx, name, isNullKeysRead);
        return counts;
    }

    /// Whether a row that was stored ends the setting aside of its key. Where several rows share the key, only a retry
    /// tells, because it fetches all of them. Another page may have just the row that changed.
    private boolean mayClear(String key, boolean isRetry) {
        String fault = known.get(key);
        return fault != null && (isRetry || !fault.equals(Fault.KEY_MISSING.name()));
    }

    private void put(Transaction tx, SetAsideRecords.Entry entry, Instant now) {
        SetAsideRecords.put(tx, name, isPending, entry, now, run);
        entry.key().ifPresent(key -> {
            known.put(key, entry.reason().fault().name());
            cleared.remove(key);
        });
    }

    private void clear(Transaction tx, String key) {
        SetAsideRecords.remove(tx, name, isPending, key);
        known.remove(key);
        if (isMerged) cleared.add(key);
    }
}
