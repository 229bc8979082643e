package dev.perigee.replication.check;

import static dev.perigee.sqlite.SqlNames.quoted;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.KeyHash;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.SqliteStatement.Type;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import dev.perigee.store.TransactionWork;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Reads the keys of a copy in the order of its rowids, in short transactions while syncs go on. Used by one thread.
///
/// @throws dev.perigee.fault.PerigeeException from each method: [Fault#BUSY] if the copy was replaced, because the new
///     copy has other rowids; the reason of the cancellation
final class CopyKeys {
    /// Rows read in one transaction.
    static final int SLICE_ROWS = 20_000;

    /// Receives the rowid of a row and the hash of its key.
    @FunctionalInterface
    interface Hashed {
        void row(long rowid, long hash);
    }

    @FunctionalInterface
    private interface Row {
        void at(SqliteStatement row);
    }

    private final Store store;
    private final CheckTarget copy;
    private final SyncCancellation cancellation;
    private final String table;
    private final String rowid;
    private final String keys;
    private final String find;
    private byte[] bytes = new byte[64];

    CopyKeys(Store store, CheckTarget copy, SyncCancellation cancellation) {
        this.store = store;
        this.copy = copy;
        this.cancellation = cancellation;
        this.table = quoted(copy.target());
        this.rowid = rowidName(copy);
        List<String> key = copy.definition().key();
        this.keys = quoted(key);
        this.find = "SELECT %s FROM %s WHERE %s"
                .formatted(
                        rowid,
                        table,
                        IntStream.range(0, key.size())
                                .mapToObj(i -> quoted(key.get(i)) + "=?" + (i + 1))
                                .collect(Collectors.joining(" AND ")));
    }

    /// The smallest and the greatest rowid. In an empty copy the first is greater than the second.
    long[] range() {
        return read(tx -> {
            SqliteStatement range = tx.statement(
                    "SELECT (SELECT min(%1$s) FROM %2$s), (SELECT max(%1$s) FROM %2$s)".formatted(rowid, table));
            range.step();
            boolean isEmpty = range.type(0) == Type.NULL;
            long[] found = isEmpty ? new long[] {0, -1} : new long[] {range.intAt(0), range.intAt(1)};
            range.reset();
            return found;
        });
    }

    /// Counts all keys of the copy by bucket.
    KeyDigests digests(KeyBuckets buckets) {
        KeyDigests digests = new KeyDigests(buckets);
        hashed(Long.MIN_VALUE, Long.MAX_VALUE, buckets, (_, hash) -> digests.add(hash));
        return digests;
    }

    /// Passes each row with a rowid from `from` to `to`, both included, to `work`, in the order of the rowids.
    void hashed(long from, long to, KeyBuckets buckets, Hashed work) {
        int columns = copy.definition().key().size();
        slices(from, to, rowid + ", " + keys, row -> {
            long at = row.intAt(0);
            long hash = buckets.seed();
            for (int column = 1; column <= columns; column++) hash = hash(row, column, hash);
            work.row(at, hash);
        });
    }

    /// Like [#hashed], without reading the keys.
    void rowids(long from, long to, LongConsumer work) {
        slices(from, to, rowid, row -> work.accept(row.intAt(0)));
    }

    /// Looks up a page of keys from the source in the copy.
    ///
    /// @param page the key's columns only
    /// @param found is told the rowid of each key that the copy has
    /// @return the number of keys that the copy does not have
    long find(Batch page, LongConsumer found) {
        return read(tx -> {
            SqliteStatement statement = tx.statement(find);
            long missing = 0;
            for (int row = 0; row < page.rowCount(); row++) {
                page.bind(row, statement);
                if (statement.step()) found.accept(statement.intAt(0));
                else missing++;
                statement.reset();
            }
            return missing;
        });
    }

    /// The keys of the rows with these rowids, leaving out rows that are gone.
    List<StoredKey> at(long[] rowids) {
        return read(tx -> {
            List<StoredKey> found = new ArrayList<>(rowids.length);
            SqliteStatement row = tx.statement("SELECT %s FROM %s WHERE %s = ?1".formatted(keys, table, rowid));
            for (long wanted : rowids) {
                row.bindInt(1, wanted);
                if (row.step())
                    found.add(StoredKey.of(row, copy.definition().key().size()));
                row.reset();
            }
            return found;
        });
    }

    private void slices(long from, long to, String columns, Row work) {
        String sql = "SELECT %1$s FROM %2$s WHERE %3$s BETWEEN ?1 AND ?2 ORDER BY %3$s LIMIT ?3"
                .formatted(columns, table, rowid);
        long[] next = {from};
        boolean isMore = from <= to;
        while (isMore) {
            isMore = read(tx -> {
                SqliteStatement rows = tx.statement(sql);
                rows.bindInt(1, next[0]).bindInt(2, to).bindInt(3, SLICE_ROWS);
                int read = 0;
                long last = 0;
                while (rows.step()) {
                    last = rows.intAt(0);
                    work.at(rows);
                    read++;
                }
                next[0] = last + 1;
                return read == SLICE_ROWS && last < to;
            });
        }
    }

    private <T> T read(TransactionWork<T> work) {
        cancellation.check();
        return Objects.requireNonNull(store.read(ReplicationTables.READ_LIMIT, tx -> {
            requireSameCopy(tx);
            return work.run(tx);
        }));
    }

    private void requireSameCopy(Transaction tx) {
        boolean isSame = StateRecords.find(tx, copy.config().name())
                .filter(now -> now.copy().generation() == copy.state().copy().generation()
                        && now.target().equals(copy.state().target()))
                .isPresent();
        if (isSame) return;
        throw Fault.BUSY.in(
                copy.where(),
                "its copy was replaced by a new one while it was compared",
                "The rows deleted before were gone at the source",
                "sweep it again when its sync has ended");
    }

    /// The hash of a key that the source sent; the same as [#hashed] computes for this key in the copy.
    long hash(Batch page, int row, KeyBuckets buckets) {
        long hash = buckets.seed();
        for (int column = 0; column < page.columns(); column++) {
            byte[] text = text(page.value(row, column));
            hash = KeyHash.of(text, 0, text.length, hash);
        }
        return hash;
    }

    private long hash(SqliteStatement row, int column, long seed) {
        if (row.type(column) != Type.TEXT) {
            byte[] text = text(row.valueAt(column));
            return KeyHash.of(text, 0, text.length, seed);
        }
        bytes = row.bytesAt(column, bytes);
        return KeyHash.of(bytes, 0, row.lengthAt(column), seed);
    }

    /// The text of a value that is hashed, as [KeyBuckets] defines it.
    private static byte[] text(Value value) {
        return switch (value) {
            case Value.Int(long number) -> Long.toString(number).getBytes(StandardCharsets.US_ASCII);
            case Value.Text(String text) -> text.getBytes(StandardCharsets.UTF_8);
            case Value.Real(double number) -> Double.toString(number).getBytes(StandardCharsets.US_ASCII);
            case Value.Null _ -> new byte[0];
            case Value.Blob(ByteBuffer blob) -> {
                byte[] copied = new byte[blob.remaining()];
                blob.get(copied);
                yield HexFormat.of().formatHex(copied).getBytes(StandardCharsets.US_ASCII);
            }
        };
    }

    /// A name of the rowid that no column of the copy has taken.
    private static String rowidName(CheckTarget copy) {
        if (copy.isKeyRowid()) return quoted(copy.definition().key().getFirst());
        return copy.definition()
                .rowid()
                .orElseThrow(() -> Fault.INVALID_REQUEST.in(
                        copy.where(),
                        "it has columns named rowid, _rowid_ and oid, so the rowid of its copy cannot be addressed",
                        "Nothing was deleted",
                        "leave one of the three columns out with `exclude`"));
    }
}
