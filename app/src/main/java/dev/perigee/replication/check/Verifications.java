package dev.perigee.replication.check;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.check.Proof.Differences;
import dev.perigee.replication.check.ProofRecords.Entry;
import dev.perigee.replication.check.Verification.Order;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.run.Recovery;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.replication.sync.SyncResult;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/// Runs the verifications of all tables, on demand and by schedule; knows their progress, and records their proofs.
/// Safe for many threads.
public final class Verifications implements CheckSchedule.Scheduled {
    /// Is told how verifications proceed. Called on the threads that verify, so no method may block.
    public interface Listener {
        /// A verification has begun, or has compared more rows.
        void verifying(String table, Progress progress);

        /// A verification has ended and its proof was recorded.
        void verified(Proof proof);
    }

    private final PluginHost host;
    private final Tables tables;
    private final Listener listener;
    private final long rowsPerSecond;
    private final Map<String, Progress> progress = new ConcurrentHashMap<>();

    /// @param rowsPerSecond how many rows a verification compares in a second at most; 0 for no limit
    public Verifications(PluginHost host, Tables tables, Listener listener, long rowsPerSecond) {
        this.host = host;
        this.tables = tables;
        this.listener = listener;
        this.rowsPerSecond = rowsPerSecond;
    }

    /// Starts a verification of a table, on a thread of its own.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] while a check of the table runs
    CompletableFuture<Proof> start(CheckSchedule checks, TableRunner table, Order order) {
        return checks.start(table, CheckSchedule.Kind.VERIFY, cancellation -> verify(table, order, cancellation));
    }

    /// Brings a copy to what the source has now, after the source went back in time or was replaced. Compares the rows
    /// and repairs them. Fetches all rows again if they cannot be compared, or if more differ than can be remembered.
    ///
    /// @return completes with the result of the repair, or of the sync that fetched all rows
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] while a check of the table runs; nothing was changed
    public CompletableFuture<SyncResult> recover(CheckSchedule checks, TableRunner table) {
        return repaired(checks, table)
                .thenCompose(done ->
                        done.map(CompletableFuture::completedFuture).orElseGet(() -> tables.fetchedAgain(table)));
    }

    /// @return completes empty if the table has to be fetched again
    private CompletableFuture<Optional<SyncResult>> repaired(CheckSchedule checks, TableRunner table) {
        // All in one check: if another check runs, this one is refused before it sets the marks.
        return checks.start(table, CheckSchedule.Kind.VERIFY, cancellation -> {
            boolean isComparable = table.exclusively(
                            _ -> Recovery.rebase(host.store(), tables.source(), table.config()))
                    .join();
            if (!isComparable) return Optional.empty();
            Proof proof = verify(table, Order.RECOVERY, cancellation);
            // More rows differ than are remembered one by one.
            boolean isTooMuch = proof.error()
                    .filter(error -> error.fault().equals(Fault.TOO_LARGE.name()))
                    .isPresent();
            if (isTooMuch) return Optional.empty();
            if (proof.verdict().isGood()) Recovery.ended(host.store(), table.name());
            Differences found = proof.compared().differences();
            RowCounts counts = new RowCounts(found.missing(), found.different(), found.extra(), 0);
            return Optional.of(SyncResult.of(table.name(), counts, proof.tookMs(), proof.error()));
        });
    }

    @Override
    public Optional<Duration> interval(TableConfig config) {
        return config.verify();
    }

    @Override
    public boolean run(TableRunner table, SyncCancellation cancellation) {
        return verify(table, Order.PLAIN, cancellation).verdict() != Proof.Verdict.UNFINISHED;
    }

    /// The last verification of each table that had one, by the name the table is configured by.
    public Map<String, Entry> proofs() {
        return host.store().read(ReplicationTables.READ_LIMIT, ProofRecords::all);
    }

    /// The last verification of one table; empty if there was none.
    public Optional<Entry> proof(String table) {
        return host.store().read(ReplicationTables.READ_LIMIT, tx -> ProofRecords.find(tx, table));
    }

    /// How far the running verification of a table is; empty if none runs.
    public Optional<Progress> progress(String table) {
        return Optional.ofNullable(progress.get(table));
    }

    private Proof verify(TableRunner table, Order order, SyncCancellation cancellation) {
        String name = table.name();
        Optional<Long> expected = host.store()
                .read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, name))
                .map(TableState::copy)
                .map(TableState.Copy::rows);
        long began = host.clock().millis();
        try {
            progress(name, 0, expected, began);
            PassControl control = new PassControl(
                    new RateLimit(rowsPerSecond), rows -> progress(name, rows, expected, began), cancellation);
            Proof proof = new Verification(host.store(), tables::source, host.clock(), table, order, control).run();
            host.store().write(tx -> {
                // Nothing is recorded for a table that was removed meanwhile.
                Optional<TableState> state = StateRecords.find(tx, name);
                if (state.isPresent()) ProofRecords.put(tx, proof);
                // An admin or another program may have written to the copy, so that its recorded row count is wrong.
                boolean isMiscounted = state.filter(
                                now -> now.copy().rows() != proof.compared().rows())
                        .isPresent();
                if (proof.verdict().isGood() && isMiscounted) StateRecords.recount(tx, name);
                return true;
            });
            listener.verified(proof);
            return proof;
        } finally {
            progress.remove(name);
        }
    }

    private void progress(String table, long rows, Optional<Long> expected, long began) {
        Progress now = Progress.of(rows, expected, host.clock().millis() - began);
        progress.put(table, now);
        listener.verifying(table, now);
    }
}
