package dev.perigee.replication;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.replication.backfill.BackfillRoutes;
import dev.perigee.replication.backfill.BackfillStatus;
import dev.perigee.replication.backfill.Backfills;
import dev.perigee.replication.check.CheckSchedule;
import dev.perigee.replication.check.Proof;
import dev.perigee.replication.check.ProofRoutes;
import dev.perigee.replication.check.ProofView;
import dev.perigee.replication.check.SweepRoutes;
import dev.perigee.replication.check.Sweeps;
import dev.perigee.replication.check.Verifications;
import dev.perigee.replication.run.RequestedRuns;
import dev.perigee.replication.run.SyncObserver;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.SetAsideRecords;
import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncResult;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps copies of the external database's tables in the replica, by pulling the rows that are new or changed.
///
/// Each table has its own cursor and its own schedule. The earliest due time of all tables, verifications and sweeps is
/// the plugin's alarm: a timer that survives a restart. When it fires, the tables that are due are synced, at most
/// `parallelTables` at once. A table that fails does not hold up the others: it is tried again after a growing delay,
/// and its cursor stays where it was.
///
/// A single sync is described in [dev.perigee.replication.sync.TableSync], the REST API in [ReplicationRoutes].
public final class ReplicationPlugin extends StarbasePlugin {
    public static final String NAME = "starbasedb:replication";

    private static final Logger LOG = LoggerFactory.getLogger(ReplicationPlugin.class);

    private final ReplicationConfig config;
    private @Nullable Running running;
    private volatile boolean isStopped;

    /// The objects that exist once the plugin was registered with its host.
    private record Running(
            PluginHost host,
            Tables tables,
            EventStream events,
            CheckSchedule checks,
            Sweeps sweeps,
            Backfills backfills,
            TableStatuses statuses,
            DemandedSyncs demanded) {}

    public ReplicationPlugin(ReplicationConfig config) {
        super(NAME, true, "/replication");
        this.config = config;
    }

    @Override
    public void register(PluginHost host) {
        EventStream events = new EventStream();
        SyncMetrics metrics = new SyncMetrics(
                host.metrics(),
                () -> lags(host, running().tables()),
                () -> host.store().read(ReplicationTables.READ_LIMIT, SetAsideRecords::counts),
                this::status,
                () -> host.store().trouble().isEmpty());
        Observer observer = new Observer(host, events, metrics);
        Tables tables = new Tables(host, config, observer, this::syncDue, this::afterLook);
        DemandedSyncs demanded = new DemandedSyncs(tables.freshness());
        CopyGate gate = new CopyGate(tables, demanded, host.clock(), config.minFreshInterval());
        Verifications verifications = new Verifications(host, tables, observer, config.verifyRowsPerSecond());
        Sweeps sweeps = new Sweeps(host, tables);
        Backfills backfills = new Backfills(host, tables, observer::backfill);
        CheckSchedule checks = new CheckSchedule(
                host.store(),
                host.clock(),
                Map.of(CheckSchedule.Kind.VERIFY, verifications, CheckSchedule.Kind.SWEEP, sweeps),
                tables::unsorted,
                this::syncDue);
        TableStatuses statuses = new TableStatuses(host, tables, verifications, sweeps, backfills);
        running = new Running(host, tables, events, checks, sweeps, backfills, statuses, demanded);
        RequestedRuns asked = new RequestedRuns();
        asked.register(host);
        new ReplicationRoutes(host, tables, checks, verifications, statuses, asked).register();
        host.route("GET", "/events", Access.ADMIN, _ -> events.response(() -> List.copyOf(statuses.all()), "table"));
        new SourceRoutes(host, tables).register();
        new SweepRoutes(host, tables, checks, sweeps, asked).register();
        new ProofRoutes(host, tables, checks, verifications, asked).register();
        new BackfillRoutes(host, tables, backfills, asked).register();
        host.freshness(gate);
        new WaitRoute(tables, gate).register(host);
        tables.load();
        gate.load();
        sweeps.load();
    }

    @Override
    public void start() {
        running().backfills().resume();
        running().tables().log().start();
        onClockSetBack(); // the clock may have been set back while Perigee did not run
    }

    /// Cancels running syncs and checks, and waits until they have ended. A sync ends at the end of its page; all end
    /// within seconds.
    @Override
    public void stop() {
        isStopped = true;
        running().events().close();
        running().checks().stop();
        running().tables().stop();
        running().checks().awaitStopped();
    }

    /// Syncs one table now, or joins a sync of it that runs or waits.
    ///
    /// @param name the name in the configuration, the copy's name, or `schema.table` at the source
    /// @throws PerigeeException [dev.perigee.fault.Fault#NOT_FOUND] if no replicated table has this name
    public CompletableFuture<SyncResult> syncTable(String name) {
        return running().tables().require(name).sync();
    }

    /// Looks at tables now, as if they were due: those that may have changed are synced. Blocks for as long as the look
    /// at the source takes.
    ///
    /// @param names as for [#syncTable]
    /// @return completes with the results of the syncs; a table that the source proves unchanged has none
    public CompletableFuture<List<SyncResult>> pollTables(List<String> names) {
        Tables tables = running().tables();
        return tables.due().poll(names.stream().map(tables::require).toList());
    }

    /// Syncs all tables that are not paused. Completes when the last sync has ended; failed syncs are among the
    /// results.
    public CompletableFuture<List<SyncResult>> syncAllTables() {
        List<CompletableFuture<SyncResult>> all = running().tables().all().stream()
                .filter(table -> !table.isPaused())
                .map(TableRunner::sync)
                .toList();
        return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .thenApply(_ -> all.stream().map(CompletableFuture::join).toList());
    }

    /// Starts the syncs and checks that are due, and sets the next alarm. Does not wait for them, so that a long sync
    /// does not delay others.
    @Override
    public void onAlarm(int attempt) {
        syncDue();
    }

    /// Moves due times nearer that were set by the clock before it was set back, and starts what is due.
    @Override
    public void onClockSetBack() {
        running().tables().due().bringNearer(config.retryMax());
        syncDue();
    }

    /// Sets the alarm to the earliest due time of the checks, and of the tables that are neither busy nor paused. A
    /// running sync sets its table's due time when it ends. If the process dies before that, the table is due at the
    /// next start.
    public synchronized void scheduleNextAlarm() {
        if (isStopped) return; // the stored due times stay, for the next start
        Optional<Instant> earliest = Stream.concat(
                        running().tables().unsorted().stream()
                                .filter(table -> !table.isPaused() && !table.isBusy())
                                .flatMap(table -> table.due().stream()),
                        running().checks().earliest().stream())
                .min(Instant::compareTo);
        if (earliest.isEmpty()) running().host().clearAlarm();
        else if (!earliest.equals(running().host().alarm())) running().host().setAlarm(earliest.get());
    }

    /// The status of every table, ordered by name.
    public List<TableStatus> status() {
        return running().statuses().all();
    }

    private void syncDue() {
        if (!isStopped) running().tables().due().start();
    }

    /// Starts the checks that are due, and sets the next alarm. Called when the tables that were due have been looked
    /// at.
    private void afterLook() {
        if (isStopped) return;
        try {
            running().checks().startDue();
            scheduleNextAlarm();
        } catch (PerigeeException e) {
            // The replica cannot be written just now, for example because the disk is full. Without an alarm nothing
            // would ever be synced again, so try again later.
            LOG.warn("the alarm could not be set: {}", e.getMessage());
            CompletableFuture.delayedExecutor(config.retryMax().toMillis(), TimeUnit.MILLISECONDS)
                    .execute(this::syncDue);
        }
    }

    private static List<SyncMetrics.Lag> lags(PluginHost host, Tables tables) {
        Instant now = host.clock().instant();
        return tables.states().values().stream()
                .flatMap(state -> state.syncs().freshAt().stream()
                        .map(fresh -> new SyncMetrics.Lag(
                                state.name(), Duration.between(fresh, now).toMillis() / 1000.0)))
                .toList();
    }

    private Running running() {
        Running now = running;
        if (now == null) throw new IllegalStateException("the plugin is not registered");
        return now;
    }

    /// Passes on what happens to the event stream and the metrics.
    private final class Observer implements SyncObserver, Verifications.Listener {
        /// Shortest time between two progress events of one table.
        private static final Duration PROGRESS_EVERY = Duration.ofMillis(250);

        private final PluginHost host;
        private final EventStream events;
        private final Map<String, AtomicLong> lastProgress = new ConcurrentHashMap<>();
        private final SyncMetrics metrics;

        Observer(PluginHost host, EventStream events, SyncMetrics metrics) {
            this.host = host;
            this.events = events;
            this.metrics = metrics;
        }

        @Override
        public void changed(TableRunner table) {
            if (!events.isHeard()) return;
            Map<String, Object> state = about(table);
            state.put("state", table.state());
            table.due().ifPresent(due -> state.put("nextSyncAt", due));
            events.publish("state", state);
        }

        @Override
        public void progress(TableRunner table, Progress progress) {
            if (!events.isHeard()) return;
            long now = host.clock().millis();
            AtomicLong last = lastProgress.computeIfAbsent(table.name(), _ -> new AtomicLong());
            long before = last.get();
            if (now - before < PROGRESS_EVERY.toMillis() || !last.compareAndSet(before, now)) return;
            Map<String, Object> state = about(table);
            state.put("progress", progress);
            events.publish("progress", state);
        }

        @Override
        public void finished(TableRunner table, SyncResult result) {
            metrics.finished(result);
            events.publish("result", result);
        }

        /// Told after each page of a backfill and each change of its state; every call is sent as an event.
        void backfill(TableRunner table, BackfillStatus status) {
            if (!events.isHeard()) return;
            Map<String, Object> state = about(table);
            state.put("backfill", status);
            events.publish("backfill", state);
        }

        @Override
        public void verifying(String table, Progress progress) {
            if (!events.isHeard()) return;
            Map<String, Object> event = about(table);
            event.put("progress", progress);
            events.publish("verifying", event);
        }

        @Override
        public void verified(Proof proof) {
            if (events.isHeard()) events.publish("proof", ProofView.of(proof));
        }

        @Override
        public void renamed(TableRunner table) {
            running().sweeps().load();
            running().backfills().resume(table);
        }

        @Override
        public void removed(TableRunner table) {
            lastProgress.remove(table.name());
            running().demanded().forget(table.name());
            running().sweeps().forget(table.name());
            running().backfills().forget(table.name());
            events.publish("removed", about(table));
        }

        private static Map<String, Object> about(TableRunner table) {
            return about(table.name());
        }

        private static Map<String, Object> about(String table) {
            Map<String, Object> about = new LinkedHashMap<>();
            about.put("table", table);
            return about;
        }
    }
}
