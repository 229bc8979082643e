package dev.perigee.replication.log;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.state.LogRecords;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.replication.sync.SyncCancellation;
import dev.perigee.source.LogTable;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.sqlite.SqliteLimit;
import dev.perigee.store.Store;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has the source keep its log for this replica, and send the changes of its tables. Ends that, too. Safe for many
/// threads.
final class LogStartup {
    /// What the names at the source begin with; the rest tells this replica from others.
    private static final String PREFIX = "perigee_";

    /// Time between two looks at the transactions that must end.
    private static final Duration LOOK = Duration.ofMillis(20);

    private static final Logger LOG = LoggerFactory.getLogger(LogStartup.class);

    private final Store store;
    private final Supplier<Source> source;
    private final RecentTransactions recent;

    LogStartup(Store store, Supplier<Source> source, RecentTransactions recent) {
        this.store = store;
        this.source = source;
        this.recent = recent;
    }

    /// Has the source send the changes of a table. When this returns, each transaction that ends later is sent with all
    /// its changes of the table.
    synchronized void begin(LogTable wanted, SyncCancellation cancellation) {
        SourceLog log = SourceLogs.of(source.get());
        log.require(wanted);
        String name = store.read(ReplicationTables.READ_LIMIT, LogRecords::follower)
                .map(LogRecords.Follower::name)
                .orElseGet(this::named);
        if (store.read(ReplicationTables.READ_LIMIT, LogRecords::follower)
                .flatMap(LogRecords.Follower::began)
                .isEmpty()) create(log, name);
        log.add(name, wanted.table());
        // A transaction that is open now may have changed the table before the source began to send its changes.
        VisibleTransactions before = visible();
        while (visible().lowest() < before.next()) pause(cancellation);
    }

    /// Waits until every transaction that was read from the log is visible to snapshots.
    void awaitRead(SyncCancellation cancellation) {
        while (!recent.areShown(visible())) pause(cancellation);
    }

    /// Why the log cannot be continued; empty if it can.
    Optional<String> lost(SourceLog log, String name, LogRecords.Began began) {
        SourceLog.History now = log.history();
        if (!now.system().equals(began.system())) return Optional.of("another server answers");
        if (now.timeline() != began.timeline()) {
            return Optional.of("the server's timeline was %d and is %d, as after a failover or a restore"
                    .formatted(began.timeline(), now.timeline()));
        }
        Optional<SourceLog.Standing> standing = log.standing(name);
        if (standing.isEmpty()) return Optional.of("the source has nothing under the name " + name);
        if (standing.get().broken().isPresent()) return standing.get().broken();
        boolean isReadByOthers = Long.compareUnsigned(standing.get().confirmed(), began.position()) > 0;
        return isReadByOthers
                ? Optional.of("somebody else has read it, or this replica was put back to an older state")
                : Optional.empty();
    }

    /// Has the source no longer send the changes of a table, which is not followed any more.
    void remove(SourceLog log, String name, String table) {
        store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, table))
                .flatMap(TableState::definition)
                .ifPresent(made -> log.remove(name, made.source()));
        store.write(tx -> {
            LogRecords.remove(tx, table);
            return true;
        });
    }

    /// Has the source keep its log no longer.
    synchronized void end(SourceLog log, String name) {
        log.drop(name);
        store.write(tx -> {
            LogRecords.forget(tx);
            return true;
        });
        LOG.info("the source no longer keeps its log under the name {}", name);
    }

    /// The size in bytes of the largest row that the replica can store.
    long maxRowBytes() {
        return store.read(
                ReplicationTables.READ_LIMIT, tx -> (long) tx.connection().limit(SqliteLimit.LENGTH));
    }

    private String named() {
        String name = PREFIX + UUID.randomUUID().toString().replace("-", "").substring(0, 16);
        store.write(tx -> {
            LogRecords.named(tx, name);
            return true;
        });
        return name;
    }

    private void create(SourceLog log, String name) {
        SourceLog.History history = log.history();
        log.create(name);
        long position = log.standing(name)
                .map(SourceLog.Standing::confirmed)
                .orElseThrow(() -> Fault.SOURCE_FAILED.in(
                        "the source's log",
                        "what was created under the name " + name + " is gone",
                        "Nothing was changed"));
        store.write(tx -> {
            LogRecords.began(tx, new LogRecords.Began(history.system(), history.timeline(), position));
            return true;
        });
        recent.clear();
        LOG.info("the source keeps its log under the name {}", name);
    }

    private VisibleTransactions visible() {
        return source.get()
                .snapshot(
                        "the source's log",
                        List.of(),
                        snapshot -> snapshot.visible()
                                .filter(VisibleTransactions::isListed)
                                .orElseThrow(() -> unsupported()));
    }

    private static PerigeeException unsupported() {
        return Fault.SOURCE_UNSUPPORTED.in(
                "the source's log",
                "the source does not tell which transactions are running, which `mode` `log` needs",
                "Nothing was changed");
    }

    private static void pause(SyncCancellation cancellation) {
        cancellation.check();
        try {
            Thread.sleep(LOOK);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            cancellation.check();
            throw Fault.CLOSED.in("the source's log", "the start of a table was interrupted", "Nothing was changed", e);
        }
    }
}
