package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.batch.Digest;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.ThreadFailures;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import dev.perigee.store.Transaction;
import dev.perigee.store.TransactionWork;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// One pass over a table at the source, in one snapshot, which compares its rows with the copy as they stream in. Syncs
/// go on meanwhile: nothing is locked, and a read transaction on the copy ends after about [Comparison#SLICE_ROWS]
/// rows.
///
/// Two threads work at the same time: one reads the source and computes the digest, the calling one compares.
final class ComparePass {
    /// Rows in a batch, at most.
    static final int BATCH_ROWS = 5_000;

    /// How often a read is tried if no reader is free. Each try waits as long as the pool of readers lets it.
    private static final int READ_TRIES = 10;

    /// @param rows the number of rows of the source; all were compared
    /// @param digest the digest of these rows as the copy stores them
    /// @param suspects keys of rows that seem to differ
    record Result(long rows, String digest, SnapshotTime snapshot, Suspects suspects) {}

    private final Store store;
    private final Source source;
    private final CheckTarget copy;
    private final PassControl control;

    /// Ends the reading thread when the comparing thread has failed.
    private final SyncCancellation stop = new SyncCancellation();

    private final Suspects suspects = new Suspects();
    private final Digest digest = new Digest();
    private long rows;

    // Written by the reading thread before it hands over the first page or the end.
    private SnapshotTime snapshotTime = SnapshotTime.NONE;

    /// @param control is told the progress after each slice
    ComparePass(Store store, Source source, CheckTarget copy, PassControl control) {
        this.store = store;
        this.source = source;
        this.copy = copy;
        this.control = control;
    }

    /// Compares all rows. Called once; blocks until the source's last row and the copy's last row have been compared.
    ///
    /// @throws PerigeeException a `SOURCE_*` fault; [Fault#CONFLICT] if the copy was replaced meanwhile; the reason of
    ///     the cancellation. Nothing was changed
    Result run() {
        int columns = copy.definition().columns().size();
        // Begins before the source's snapshot, so that rows inserted into the copy later do not count as extra.
        try (Comparison comparison = inRead(tx -> Comparison.of(copy, tx, suspects));
                ComparePipeline pipeline = new ComparePipeline(columns, batchRows(), this::read, stop)) {
            Thread reader = Thread.ofVirtual()
                    .name("perigee-verify-source-" + copy.config().name())
                    .start(() -> pull(pipeline));
            try {
                for (Batch first = pipeline.take(); first != null; first = pipeline.take()) {
                    compareSlice(comparison, pipeline, first);
                }
                while (restSlice(comparison)) control.cancellation().check();
            } catch (RuntimeException | Error e) {
                stop.cancel(ThreadFailures.unwrapped(e));
                reader.interrupt(); // it may be waiting for a free batch, or for the source
                throw e;
            } finally {
                join(reader); // it writes to the memory that is freed next
            }
        }
        return new Result(rows, digest.text(), snapshotTime, suspects);
    }

    private int batchRows() {
        return control.rate().portion(BATCH_ROWS);
    }

    // The reading thread.

    private void pull(ComparePipeline pipeline) {
        try {
            Scope scope = copy.isKeyRowid()
                    ? new Scope.ByKey(Optional.empty(), Optional.empty())
                    : new Scope.Changed(Optional.empty());
            source.snapshot(copy.where(), List.of(copy.table().id()), snapshot -> {
                snapshotTime = SnapshotTime.of(snapshot);
                return snapshot.pull(copy.pull(scope, batchRows()), pipeline);
            });
            pipeline.end(null);
        } catch (Throwable e) {
            pipeline.end(e);
        }
    }

    private void read(Batch page) {
        control.cancellation().check();
        digest.add(page, row -> copy.isWanted(page, row));
        try {
            control.rate().passed(page.rowCount());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.CLOSED.in(copy.where(), "its check was interrupted", "Nothing was changed", e);
        }
    }

    // The comparing thread.

    private void compareSlice(Comparison comparison, ComparePipeline pipeline, Batch first) {
        control.cancellation().check();
        rows += inRead(tx -> {
            requireSame(tx);
            comparison.begin(tx);
            long inSlice = 0;
            // Takes only pages that are ready: the transaction must not stay open while the source is slow.
            for (Batch page = first; page != null; page = inSlice < Comparison.SLICE_ROWS ? pipeline.poll() : null) {
                comparison.compare(page);
                inSlice += page.rowCount();
                pipeline.giveBack(page);
            }
            return inSlice;
        });
        control.progress().accept(rows);
    }

    private boolean restSlice(Comparison comparison) {
        return inRead(tx -> {
            requireSame(tx);
            comparison.begin(tx);
            return comparison.rest();
        });
    }

    /// Fails if the copy was replaced or altered since the pass began: the same rowids may then belong to other rows.
    private void requireSame(Transaction tx) {
        boolean isSame = StateRecords.find(tx, copy.config().name())
                .filter(now -> now.copy().generation() == copy.state().copy().generation()
                        && now.definition().equals(copy.state().definition()))
                .isPresent();
        if (isSame) return;
        throw Fault.CONFLICT.in(
                copy.where(),
                "its copy was replaced or removed while it was compared",
                "Nothing was changed",
                "verify it again: `perigee verify --table %s`"
                        .formatted(Remedies.word(copy.config().name())));
    }

    /// Runs `work` in a read transaction. If no reader was free, `work` has not begun, so the read can be tried again.
    private <T> T inRead(TransactionWork<T> work) {
        AtomicBoolean hasBegun = new AtomicBoolean();
        for (int tries = 1; ; tries++) {
            try {
                return Objects.requireNonNull(store.read(ReplicationTables.READ_LIMIT, tx -> {
                    hasBegun.set(true);
                    return work.run(tx);
                }));
            } catch (PerigeeException e) {
                if (e.fault() != Fault.BUSY || hasBegun.get() || tries == READ_TRIES) throw e;
                control.cancellation().check();
            }
        }
    }

    private static void join(Thread thread) {
        boolean isInterrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) Thread.currentThread().interrupt();
    }
}
