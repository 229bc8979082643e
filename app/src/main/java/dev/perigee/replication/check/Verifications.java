package dev.perigee.replication.check;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
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

/// The verifications of all tables: on demand and by schedule, with their progress, and what they proved.
public final class Verifications implements CheckSchedule.Scheduled {
    /// Told how verifications proceed, on the threads that verify: it must not wait.
    public interface Listener {
        void verifying(String table, Progress progress);

        void verified(Proof proof);
    }

    private final PluginHost host;
    private final Tables tables;
    private final Listener listener;
    private final long rowsPerSecond;
    private final Map<String, Progress> progress = new ConcurrentHashMap<>();

    /// @param rowsPerSecond rows compared in a second at most; 0 for no limit
    public Verifications(PluginHost host, Tables tables, Listener listener, long rowsPerSecond) {
        this.host = host;
        this.tables = tables;
        this.listener = listener;
        this.rowsPerSecond = rowsPerSecond;
    }

    /// Verifies a table now, on a thread of its own.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] while it is being checked
    CompletableFuture<Proof> start(CheckSchedule checks, TableRunner table, Order order) {
        return checks.start(table, CheckSchedule.Kind.VERIFY, cancellation -> verify(table, order, cancellation));
    }

    /// Brings the copy of a source that went back, or was replaced, to what the source has now: its rows are compared
    /// and repaired, or all fetched again where they cannot be compared or too many differ.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] while the table is being checked; nothing was changed
    public CompletableFuture<SyncResult> recover(CheckSchedule checks, TableRunner table) {
        return repaired(checks, table)
                .thenCompose(done ->
                        done.map(CompletableFuture::completedFuture).orElseGet(() -> tables.fetchedAgain(table)));
    }

    /// @return empty where the table is to be fetched again
    private CompletableFuture<Optional<SyncResult>> repaired(CheckSchedule checks, TableRunner table) {
        // As one check: where another runs, this is refused before it sets the marks.
        return checks.start(table, CheckSchedule.Kind.VERIFY, cancellation -> {
            boolean isComparable = table.exclusively(
                            _ -> Recovery.rebase(host.store(), tables.source(), table.config()))
                    .join();
            if (!isComparable) return Optional.empty();
            Proof proof = verify(table, Order.RECOVERY, cancellation);
            // More differs than is remembered row by row.
            boolean isTooMuch = proof.error()
                    .filter(error -> error.fault().equals(Fault.TOO_LARGE.name()))
                    .isPresent();
            if (isTooMuch) return Optional.empty();
            if (proof.verdict().isGood()) Recovery.ended(host.store(), table.name());
            RowCounts counts = new RowCounts(proof.missing(), proof.different(), proof.extra(), 0);
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

    /// The last verification of each table that had one, by the name it is configured by.
    public Map<String, Entry> proofs() {
        return host.store().read(ReplicationTables.READ_LIMIT, ProofRecords::all);
    }

    public Optional<Entry> proof(String table) {
        return host.store().read(ReplicationTables.READ_LIMIT, tx -> ProofRecords.find(tx, table));
    }

    /// How far the running verification is; empty when none runs.
    public Optional<Progress> progress(String table) {
        return Optional.ofNullable(progress.get(table));
    }

    private Proof verify(TableRunner table, Order order, SyncCancellation cancellation) {
        String name = table.name();
        Optional<Long> expected = host.store()
                .read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, name))
                .map(TableState::rowCount);
        long began = host.clock().millis();
        try {
            progress(name, 0, expected, began);
            Proof proof = new Verification(
                            host.store(),
                            tables::source,
                            host.clock(),
                            table,
                            order,
                            new RateLimit(rowsPerSecond),
                            rows -> progress(name, rows, expected, began),
                            cancellation)
                    .run();
            host.store().write(tx -> {
                // A table that was removed meanwhile is not remembered.
                Optional<TableState> state = StateRecords.find(tx, name);
                if (state.isPresent()) ProofRecords.put(tx, proof);
                // Somebody else may have written to the copy, past all counting.
                boolean isMiscounted =
                        state.filter(now -> now.rowCount() != proof.rows()).isPresent();
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
