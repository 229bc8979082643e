package dev.perigee.replication;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.PluginHost;
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

/// Keeps copies of the external database's tables in the replica, by pulling what is new after a cursor.
///
/// Each table has its own cursor and its own schedule. The earliest due time over all of them is the plugin's alarm,
/// which outlives a restart; when it fires, the tables that are due are synced, several at once, each in order. One
/// that fails holds up no other: it is tried again after a while that grows, and its cursor stays where it was.
///
/// What happens in a sync is in [dev.perigee.replication.sync.TableSync]; the REST API is in [ReplicationRoutes].
public final class ReplicationPlugin extends StarbasePlugin {
    public static final String NAME = "starbasedb:replication";

    private static final Logger LOG = LoggerFactory.getLogger(ReplicationPlugin.class);

    private final ReplicationConfig config;
    private @Nullable Running running;
    private volatile boolean isStopped;

    /// What there is once the host is known.
    private record Running(
            PluginHost host,
            Tables tables,
            EventStream events,
            CheckSchedule checks,
            Sweeps sweeps,
            Backfills backfills,
            TableStatuses statuses) {}

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
        Tables tables = new Tables(host, config, observer, this::syncDue);
        Verifications verifications = new Verifications(host, tables, observer, config.verifyRowsPerSecond());
        Sweeps sweeps = new Sweeps(host, tables);
        Backfills backfills = new Backfills(host, tables, observer::backfill);
        CheckSchedule checks = new CheckSchedule(
                host.store(),
                host.clock(),
                Map.of(CheckSchedule.Kind.VERIFY, verifications, CheckSchedule.Kind.SWEEP, sweeps),
                tables::all,
                this::syncDue);
        TableStatuses statuses = new TableStatuses(host, tables, verifications, sweeps, backfills);
        running = new Running(host, tables, events, checks, sweeps, backfills, statuses);
        RequestedRuns asked = new RequestedRuns();
        asked.register(host);
        new ReplicationRoutes(host, tables, events, checks, verifications, statuses, asked).register();
        new SourceRoutes(host, tables).register();
        new SweepRoutes(host, tables, checks, sweeps, asked).register();
        new ProofRoutes(host, tables, checks, verifications, asked).register();
        new BackfillRoutes(host, tables, backfills, asked).register();
        tables.load();
        sweeps.load();
    }

    @Override
    public void start() {
        running().backfills().resume();
        onClockSetBack(); // as it may have been while nobody ran
    }

    /// Ends running syncs at the end of their page, within seconds.
    @Override
    public void stop() {
        isStopped = true;
        running().events().close();
        running().checks().stop();
        running().tables().stop();
        running().checks().awaitStopped();
    }

    /// Syncs one table now, or joins its running sync.
    ///
    /// @param name as in the configuration, or the copy's name, or `schema.table`
    /// @throws PerigeeException [dev.perigee.fault.Fault#NOT_FOUND]
    public CompletableFuture<SyncResult> syncTable(String name) {
        return running().tables().require(name).sync();
    }

    /// Syncs all tables that are not paused; completes when the last has ended, whatever became of them.
    public CompletableFuture<List<SyncResult>> syncAllTables() {
        List<CompletableFuture<SyncResult>> all = running().tables().all().stream()
                .filter(table -> !table.isPaused())
                .map(TableRunner::sync)
                .toList();
        return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .thenApply(_ -> all.stream().map(CompletableFuture::join).toList());
    }

    /// Starts the tables that are due, and only those. It does not wait for them, so that one that takes long does not
    /// keep others from their turn.
    @Override
    public void onAlarm(int attempt) {
        syncDue();
    }

    @Override
    public void onClockSetBack() {
        running().tables().bringNearer();
        syncDue();
    }

    /// Sets the alarm to the earliest due time of the tables that neither run nor are paused. One that runs sets its
    /// own when it has ended; should it never end because the process dies, it is due at the next start.
    public synchronized void scheduleNextAlarm() {
        if (isStopped) return; // what is due stays due, for the next start
        Optional<Instant> earliest = Stream.concat(
                        running().tables().all().stream()
                                .filter(table -> !table.isPaused() && !table.isBusy())
                                .flatMap(table -> table.due().stream()),
                        running().checks().earliest().stream())
                .min(Instant::compareTo);
        if (earliest.isEmpty()) running().host().clearAlarm();
        else if (!earliest.equals(running().host().alarm())) running().host().setAlarm(earliest.get());
    }

    /// Where every table stands.
    public List<TableStatus> status() {
        return running().statuses().all();
    }

    private void syncDue() {
        if (isStopped) return;
        Instant now = running().host().clock().instant();
        for (TableRunner table : running().tables().all()) {
            boolean isDue = table.due().filter(due -> !due.isAfter(now)).isPresent();
            if (isDue && !table.isPaused() && !table.isBusy()) start(table);
        }
        try {
            running().checks().startDue();
            scheduleNextAlarm();
        } catch (PerigeeException e) {
            // The replica cannot be written just now, as with a full disk. Without an alarm nothing would ever happen
            // again, so look again after a while.
            LOG.warn("the alarm could not be set: {}", e.getMessage());
            CompletableFuture.delayedExecutor(config.retryMax().toMillis(), TimeUnit.MILLISECONDS)
                    .execute(this::syncDue);
        }
    }

    private static void start(TableRunner table) {
        CompletableFuture<SyncResult> _ = table.sync(); // its end is heard by Tables
    }

    private static List<SyncMetrics.Lag> lags(PluginHost host, Tables tables) {
        Instant now = host.clock().instant();
        return tables.states().values().stream()
                .flatMap(state -> state.freshAt().stream()
                        .map(fresh -> new SyncMetrics.Lag(
                                state.name(), Duration.between(fresh, now).toMillis() / 1000.0)))
                .toList();
    }

    private Running running() {
        Running now = running;
        if (now == null) throw new IllegalStateException("the plugin is not registered");
        return now;
    }

    /// Tells listeners and metrics what happens.
    private final class Observer implements SyncObserver, Verifications.Listener {
        /// Time between two progress events of one table.
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

        /// Backfills say each page, as syncs do, and each change at once.
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
            if (events.isHeard()) events.publish("proof", ProofView.of(proof.table(), Optional.of(proof)));
        }

        @Override
        public void renamed(TableRunner table) {
            running().sweeps().load();
            running().backfills().resume(table);
        }

        @Override
        public void removed(TableRunner table) {
            lastProgress.remove(table.name());
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
