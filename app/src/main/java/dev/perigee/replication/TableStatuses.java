package dev.perigee.replication;

import dev.perigee.config.TableConfig.Mode;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.backfill.Backfills;
import dev.perigee.replication.check.ProofRecords;
import dev.perigee.replication.check.Sweeps;
import dev.perigee.replication.check.Verifications;
import dev.perigee.replication.log.LogStatus;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Assembles the status of each table from the records in the replica and from what is under way.
final class TableStatuses {
    private final PluginHost host;
    private final Tables tables;
    private final Verifications verifications;
    private final Sweeps sweeps;
    private final Backfills backfills;

    TableStatuses(PluginHost host, Tables tables, Verifications verifications, Sweeps sweeps, Backfills backfills) {
        this.host = host;
        this.tables = tables;
        this.verifications = verifications;
        this.sweeps = sweeps;
        this.backfills = backfills;
    }

    /// The status of all tables, ordered by name.
    List<TableStatus> all() {
        Map<String, TableState> states = tables.states();
        Map<String, ProofRecords.Entry> proofs = verifications.proofs();
        return of(
                tables.all(),
                name -> Optional.ofNullable(states.get(name)),
                name -> Optional.ofNullable(proofs.get(name)));
    }

    TableStatus of(TableRunner table) {
        return of(
                        List.of(table),
                        name -> host.store().read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, name)),
                        verifications::proof)
                .getFirst();
    }

    private interface ByName<T> {
        Optional<T> find(String name);
    }

    private List<TableStatus> of(
            List<TableRunner> runners, ByName<TableState> states, ByName<ProofRecords.Entry> proofs) {
        Instant now = host.clock().instant();
        Optional<Problem> replica = tables.replicaTrouble();
        LogStatus log = tables.log().status();
        return runners.stream()
                .map(runner -> TableStatus.of(
                        runner,
                        new TableStatus.Known(
                                states.find(runner.name()),
                                proofs.find(runner.name()),
                                sweeps.last(runner.name()),
                                backfills.current(runner.name()),
                                replica,
                                runner.config().mode() == Mode.LOG ? Optional.of(log) : Optional.empty()),
                        now))
                .toList();
    }
}
