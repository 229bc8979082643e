package dev.perigee.replication.run;

import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.Remedies;
import dev.perigee.plugin.PluginHost;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.drift.Handover;
import dev.perigee.replication.freshness.CopyFreshness;
import dev.perigee.replication.log.LogFollower;
import dev.perigee.replication.log.LogTables;
import dev.perigee.replication.log.SourceLogs;
import dev.perigee.replication.state.ConfigRecords;
import dev.perigee.replication.state.ConfiguredTable;
import dev.perigee.replication.state.ConfiguredTable.Origin;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.SourceTrouble;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;

/// The set of replicated tables, with the settings and the runner of each. Changes of the configuration are made one at
/// a time, and each is applied in full or not at all. Safe for many threads.
public final class Tables {
    /// Greatest number of replicated tables.
    public static final int MAX_TABLES = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(Tables.class);

    private final PluginHost host;
    private final ReplicationConfig settings;
    private final SourceTrouble trouble;
    private final ProtectedCopies copies;
    private final SyncTurns turns;
    private final LogFollower log;
    private final SyncObserver observer;
    private final DueTables due;
    private final AsOfRecorder asOf;
    private final Runnable rescheduling;
    private final Map<String, TableRunner> runners = new ConcurrentHashMap<>();
    private final Object changing = new Object();

    /// @param rescheduling called when a table's due time may have changed, and after each task of a table
    /// @param afterLook called when the tables that were due have been looked at
    public Tables(
            PluginHost host,
            ReplicationConfig settings,
            SyncObserver observer,
            Runnable rescheduling,
            Runnable afterLook) {
        this.host = host;
        this.settings = settings;
        this.observer = observer;
        this.rescheduling = rescheduling;
        this.trouble = new SourceTrouble(host.clock(), this::sourceAnswers);
        this.copies = new ProtectedCopies(host, !settings.adminsWriteCopies());
        TableSync sync =
                new TableSync(host.store(), this::source, host.clock(), settings.keepRuns(), copies::protect, trouble);
        LogTables followed = new FollowedTables(host.clock(), runners::values, rescheduling);
        this.log = new LogFollower(host.store(), this::source, host.clock(), sync.freshness(), followed);
        this.turns = new SyncTurns(host.clock(), settings, sync, log, observer, this::members);
        this.asOf = new AsOfRecorder(host.store(), host.clock(), runners::values);
        this.due = new DueTables(host.clock(), this::source, runners::values, host.store(), sync.freshness(), () -> {
            asOf.recordSometimes();
            afterLook.run();
        });
    }

    /// Follows the source's log, for the tables in mode `log`.
    public LogFollower log() {
        return log;
    }

    /// Looks at the tables that are due, and syncs those that may have changed.
    public DueTables due() {
        return due;
    }

    /// Loads the tables that the configuration file names and those recorded in the replica, and protects their copies.
    /// Called once, before anything is synced.
    public void load() {
        synchronized (changing) {
            List<ConfiguredTable> remembered = host.store().write(tx -> ConfigRecords.remember(tx, settings.tables()));
            Map<String, TableState> states = states();
            for (ConfiguredTable table : remembered) {
                TableRunner runner = runner(table);
                TableState state = states.get(runner.name());
                runner.setDue(dueAtStart(Optional.ofNullable(state)));
                runner.setOrphan(table.origin() == Origin.FILE
                        && settings.tables().stream().noneMatch(c -> c.name().equals(runner.name())));
                runner.whyPaused().ifPresent(why -> LOG.warn("table {}: {}", runner.name(), why));
                runners.put(runner.name(), runner);
                runner.setFailing(state != null && state.syncs().failures() > 0);
                if (state != null) state.target().ifPresent(target -> copies.protect(runner.name(), target));
            }
        }
    }

    /// The runners of all replicated tables, ordered by name.
    public List<TableRunner> all() {
        return runners.values().stream()
                .sorted(Comparator.comparing(TableRunner::name))
                .toList();
    }

    /// As [#all], in no order.
    public Collection<TableRunner> unsorted() {
        return runners.values();
    }

    /// Finds a table by the name it is configured by, else by its copy's name or by `schema.table` at the source.
    ///
    /// @throws PerigeeException [Fault#NOT_FOUND] if no replicated table has this name
    public TableRunner require(String name) {
        TableRunner exact = runners.get(name);
        if (exact != null) return exact;
        return states().values().stream()
                .filter(state -> state.target().filter(name::equals).isPresent()
                        || state.definition()
                                .filter(d -> d.source().toString().equals(name))
                                .isPresent())
                .map(state -> runners.get(state.name()))
                .filter(runner -> runner != null)
                .findFirst()
                .orElseThrow(
                        () -> Fault.NOT_FOUND.in(
                                "replication",
                                "there is no replicated table \"%s\"".formatted(name),
                                "Nothing was changed",
                                "take a name from `perigee tables` or GET /replication/tables, or add the table with `perigee tables add`"));
    }

    /// The table with this copy; empty if the name is not that of a copy.
    ///
    /// @param copy the copy's name in lower case
    public Optional<TableRunner> ofCopy(String copy) {
        return copies.tableOf(copy).flatMap(this::find);
    }

    /// How fresh the copies are, by the name their tables are configured by.
    public CopyFreshness freshness() {
        return turns.sync().freshness();
    }

    /// The recorded state of each copy, by the name its table is configured by.
    public Map<String, TableState> states() {
        Map<String, TableState> states = new LinkedHashMap<>();
        host.store()
                .read(ReplicationTables.READ_LIMIT, StateRecords::all)
                .forEach(state -> states.put(state.name(), sinceLooked(state)));
        return states;
    }

    private TableState sinceLooked(TableState state) {
        return find(state.name())
                .flatMap(TableRunner::asOf)
                .map(asOf -> asOf.in(state))
                .orElse(state);
    }

    /// Trouble that concerns the source as a whole, such as a server that cannot be reached.
    public SourceTrouble sourceTrouble() {
        return trouble;
    }

    /// Makes tables due at once that trouble of the source held up. Called by [SourceTrouble] when the source answers
    /// again.
    private void sourceAnswers(List<String> held) {
        Instant now = host.clock().instant();
        held.forEach(name -> find(name)
                .filter(runner -> !runner.isBusy() && runner.due().isPresent())
                .ifPresent(runner -> runner.setDue(now)));
        rescheduling.run();
    }

    /// Why the replica cannot be written at present, so that no table can be synced; empty if it can be written.
    public Optional<Problem> replicaTrouble() {
        return host.store().trouble().map(Problem::of);
    }

    /// Adds tables, or changes the settings of tables with the same names. Applies all changes or none. Missing copies
    /// are created empty, and every table is due at once.
    ///
    /// @param isAdopting whether an existing table of the replica becomes the copy if it has the copy's name and is no
    ///     other table's copy. Its rows are served until all rows of the source have been fetched, and are then
    ///     replaced by them
    /// @throws PerigeeException with status 404 if the source lacks a table or column, 409 if a copy's name is taken,
    ///     400 if settings are not valid
    public List<ConfiguredTable> configure(List<TableConfig> configs, boolean isAdopting) {
        synchronized (changing) {
            Map<String, String> renamed = new LinkedHashMap<>();
            try {
                return configure(configs, isAdopting, renamed);
            } catch (RuntimeException e) {
                renamed.forEach((old, name) -> takeBack(old, name));
                throw e;
            }
        }
    }

    /// @param renamed is filled with the tables whose copies were handed over to another name: old name to new name
    private List<ConfiguredTable> configure(
            List<TableConfig> configs, boolean isAdopting, Map<String, String> renamed) {
        Source source = source();
        List<CopyReservation> wanted = new ArrayList<>();
        Map<TableConfig, SourceTable> described = new LinkedHashMap<>();
        List<SourceTable> tables =
                source.describe(configs.stream().map(TableConfig::name).toList());
        for (int i = 0; i < configs.size(); i++) {
            described.put(configs.get(i), source.read(tables.get(i), configs.get(i)));
        }
        RowVisibilityCheck.refuse(source, described, this::isNewlyWhole);
        described.forEach((config, table) -> {
            Handover.find(host.store(), source, config, table).ifPresent(old -> {
                handOver(old, config.name());
                renamed.put(old, config.name());
            });
            CopyDefinition definition = DefinitionCheck.definition(host.store(), config, table);
            if (config.mode() == Mode.LOG) SourceLogs.of(source).require(definition.wanted(0, config));
            wanted.add(new CopyReservation(new ConfiguredTable(config, origin(config.name())), definition));
        });
        Instant now = host.clock().instant();
        configs.forEach(config -> freshness().forget(config.name()));
        List<String> targets = host.store().write(tx -> CopyReservation.store(tx, wanted, isAdopting, now));
        for (int i = 0; i < wanted.size(); i++) {
            ConfiguredTable table = wanted.get(i).table();
            TableRunner runner = runners.computeIfAbsent(table.config().name(), _ -> runner(table));
            runner.setTable(table);
            runner.setOrphan(false);
            runner.setDue(now);
            if (table.config().paused()) runner.cancel(pausedWhileSyncing(runner.name()));
            copies.protect(runner.name(), targets.get(i));
            observer.changed(runner);
        }
        renamed.forEach((old, name) -> {
            find(old).ifPresent(runner -> remove(runner, false));
            find(name).ifPresent(observer::renamed);
        });
        log.changed();
        rescheduling.run();
        return wanted.stream().map(CopyReservation::table).toList();
    }

    /// Moves all records of a table to its new name (handover). The running task is cancelled first; syncs and
    /// backfills continue under the new name.
    private void handOver(String old, String name) {
        Optional<TableRunner> ended = find(old);
        ended.ifPresent(runner -> runner.end(Fault.CLOSED.in(
                "table " + old, "it is called %s now".formatted(name), "The pages written before are kept")));
        try {
            host.store().write(tx -> {
                ReplicationTables.rename(tx, old, name);
                return true;
            });
        } catch (RuntimeException e) {
            ended.ifPresent(TableRunner::reopen);
            throw e;
        }
    }

    /// Undoes [#handOver], after a later step of the same change has failed.
    private void takeBack(String old, String name) {
        host.store().write(tx -> {
            ReplicationTables.rename(tx, name, old);
            return true;
        });
        find(old).ifPresent(TableRunner::reopen);
    }

    /// Whether these settings ask for all rows of the table (`rowSecurity: refused`) and the present ones, if any, do
    /// not. Only then are hidden rows a reason to refuse the settings. Other settings of a table may change while its
    /// syncs fail because of hidden rows.
    private boolean isNewlyWhole(TableConfig config) {
        boolean wasWhole = find(config.name())
                .filter(known -> known.config().rowSecurity() == RowSecurity.REFUSED)
                .isPresent();
        return config.rowSecurity() == RowSecurity.REFUSED && !wasWhole;
    }

    /// Changes the settings that `patch` names. Checks them against the source, unless only the pause changes.
    public ConfiguredTable change(TableRunner runner, JsonNode patch) {
        synchronized (changing) {
            return change(runner, TableFields.patched(runner.config(), patch));
        }
    }

    private ConfiguredTable change(TableRunner runner, TableConfig config) {
        TableConfig before = runner.config();
        if (!before.withPaused(config.paused()).equals(config))
            return configure(List.of(config), false).getFirst();
        synchronized (changing) {
            // Pausing must work while the source is down, so this path does not ask the source anything.
            ConfiguredTable table = new ConfiguredTable(
                    config, runner.isOrphan() ? Origin.REST : runner.table().origin());
            host.store().write(tx -> {
                ConfigRecords.put(tx, table);
                return true;
            });
            runner.setTable(table);
            runner.setOrphan(false);
            if (config.paused()) runner.cancel(pausedWhileSyncing(runner.name()));
            else if (config.mode() == Mode.LOG) runner.setDue(host.clock().instant());
            log.changed();
            observer.changed(runner);
            rescheduling.run();
            return table;
        }
    }

    /// Stops replicating a table: cancels its running task and removes its records. The copy stays as an ordinary
    /// table.
    ///
    /// @param isDropped whether the copy is dropped instead
    /// @throws PerigeeException [Fault#BUSY] if the running task did not end in time; nothing was removed
    public void remove(TableRunner runner, boolean isDropped) {
        synchronized (changing) {
            String name = runner.name();
            runner.end(Fault.CONFLICT.in(
                    "table " + name,
                    "it was removed from replication",
                    "The pages written before stay in the copy",
                    "add it again to have it synced: `perigee tables add %s`".formatted(Remedies.word(name))));
            host.store().write(tx -> {
                Optional<TableState> state = StateRecords.find(tx, name);
                state.map(TableState::copy)
                        .flatMap(TableState.Copy::shadow)
                        .ifPresent(shadow -> CopyTable.drop(tx, shadow));
                if (isDropped) state.flatMap(TableState::target).ifPresent(copy -> CopyTable.drop(tx, copy));
                ReplicationTables.forget(tx, name);
                return true;
            });
            runners.remove(name);
            freshness().forget(name);
            trouble.removed(name);
            copies.release(name);
            observer.removed(runner);
            log.changed();
            rescheduling.run();
        }
    }

    /// Why a table that was removed will be replicated again after the next start; empty if it will not.
    public Optional<String> whyNextStartHas(String name) {
        if (settings.tables().stream().noneMatch(config -> config.name().equals(name))) return Optional.empty();
        String place = settings.places().get(name);
        return Optional.of(
                "the configuration names this table under `replication.tables`%s, so the next start replicates it again; remove it there too"
                        .formatted(place == null ? "" : " at " + place));
    }

    /// Fetches a table again from the beginning. The request is recorded first, so that it survives a crash. Readers
    /// see the old copy until the new one is complete.
    public CompletableFuture<SyncResult> fetchedAgain(TableRunner runner) {
        host.store().write(tx -> {
            StateRecords.ensure(tx, runner.name());
            StateRecords.needsResync(tx, runner.name());
            return true;
        });
        return runner.resync();
    }

    /// Cancels all tasks and waits until they have ended, within seconds. No further tasks start. What was committed
    /// stays.
    public void stop() {
        PerigeeException stopping =
                Fault.CLOSED.in("replication", "Perigee is stopping", "The pages written before are committed");
        Collection<TableRunner> all = runners.values();
        all.forEach(runner -> runner.close(stopping));
        all.forEach(TableRunner::awaitIdle);
        log.stop();
        asOf.record();
    }

    /// The external database.
    ///
    /// @throws PerigeeException [Fault#SOURCE_NOT_CONFIGURED] if there is none
    public Source source() {
        return host.source()
                .orElseThrow(() -> Fault.SOURCE_NOT_CONFIGURED.in(
                        "replication", "there is no external database to pull from", "Nothing was changed"));
    }

    /// The table with exactly this configured name, see [#require] for other names.
    public Optional<TableRunner> find(String name) {
        return Optional.ofNullable(runners.get(name));
    }

    public SyncTurns turns() {
        return turns;
    }

    private TableRunner runner(ConfiguredTable table) {
        TableRunner runner = new TableRunner(table, turns, rescheduling);
        runner.setChangedAt(host.clock().instant());
        return runner;
    }

    private List<TableRunner> members(String group) {
        return all().stream()
                .filter(other -> !other.isPaused() && other.config().group().equals(Optional.of(group)))
                .toList();
    }

    /// When a table is due after the start: at its recorded time, which may be past, or at once if none is recorded.
    private Instant dueAtStart(Optional<TableState> state) {
        Instant now = host.clock().instant();
        return state.map(TableState::syncs).flatMap(TableState.Syncs::nextAt).orElse(now);
    }

    /// The origin to record for a table that is configured by the API: a table of the configuration file keeps its own,
    /// unless the file no longer names it.
    private Origin origin(String name) {
        TableRunner known = runners.get(name);
        return known == null || known.isOrphan() ? Origin.REST : known.table().origin();
    }

    private static PerigeeException pausedWhileSyncing(String name) {
        return Fault.CONFLICT.in(
                "table " + name,
                "it was paused while it was syncing",
                "The pages written before are committed",
                "resume it: `perigee tables resume %s`".formatted(Remedies.word(name)));
    }
}
