package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteLimit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A worker process's own connections to the replica, next to the [Store] of the server that owns the file. It takes no
/// lock on the data folder, has no queue and makes no checkpoints. Confined to one thread, except [#interrupt()], which
/// any thread may call.
///
/// It writes only during a turn that the server's writer has lent ([Store#lendWriter]). If the process is killed, its
/// file locks are released and SQLite rolls back what was not committed.
public final class AttachedReplica implements AutoCloseable {
    /// SQLite limits that are 0 here, in addition to those of the server's connections: a caller's statement needs
    /// neither attached databases nor helper threads.
    private static final Set<SqliteLimit> NONE_ALLOWED = Set.of(SqliteLimit.ATTACHED, SqliteLimit.WORKER_THREADS);

    /// One connection and the objects bound to it.
    private record Attached(
            SqliteConnection connection, StatementCache statements, TimeGuard guard, OpenTransaction transaction) {
        void close(Watchdog watchdog) {
            watchdog.forget(guard);
            statements.close();
            connection.close();
        }
    }

    private final Path file;
    private final StoreConfig config;
    private final Function<Transaction, ChangeObserver> following;
    private final Consumer<SqliteConnection> prepared;
    private final Watchdog watchdog = new Watchdog(UnaryOperator.identity());
    private final Attached reader;
    private final Attached policed;
    private @Nullable Attached writer;
    private ChangeObserver observer = ChangeObserver.NONE;
    private Consumer<String> altering = _ -> {};
    private long schemaAfterTurn = -1;
    private volatile @Nullable SqliteConnection running;

    /// Opens the read connections. The write connection is opened by the first [#write].
    ///
    /// @param following makes an observer that records a transaction's changes on its connection
    /// @param prepared called once with each new connection
    public AttachedReplica(
            StoreConfig config, Function<Transaction, ChangeObserver> following, Consumer<SqliteConnection> prepared) {
        this.file = config.directory().resolve(config.fileName()).toAbsolutePath();
        this.config = config;
        this.following = following;
        this.prepared = prepared;
        this.reader = attach(Connections.reader(file, config));
        this.policed = attach(Connections.apart(file, config));
        // The first read opens the WAL and its index. The sandbox, entered later, refuses to open them.
        read(
                Duration.ofMinutes(1),
                false,
                transaction -> transaction.connection().schemaVersion());
        read(
                Duration.ofMinutes(1),
                true,
                transaction -> transaction.connection().schemaVersion());
    }

    public Path file() {
        return file;
    }

    /// The observer of this process's writes; [ChangeObserver#NONE] if changes are not recorded.
    public ChangeObserver observer() {
        return observer;
    }

    /// Runs `work` in a read transaction.
    ///
    /// @param work must not return null
    /// @param isPoliced whether to use the connection for policed callers. Temporary views made on it stay there and
    ///     are visible only to them
    /// @throws PerigeeException [Fault#TIME_LIMIT] past the limit
    public <T> T read(Duration limit, boolean isPoliced, TransactionWork<T> work) {
        Attached used = isPoliced ? policed : reader;
        used.connection.exec("BEGIN");
        running = used.connection;
        try {
            return Objects.requireNonNull(used.transaction.run(work, TimeGuard.nanos(limit), "Nothing was changed"));
        } finally {
            running = null;
            // COMMIT, not ROLLBACK, so that temporary views made by the work stay. The replica itself is open
            // read-only.
            if (!used.connection.isAutocommit()) used.connection.exec("COMMIT");
        }
    }

    /// Runs `work` in a write transaction, which commits only if `verdict` returns true.
    ///
    /// @param maxWalBytes by how much the WAL may grow during the work
    /// @param isFollowed whether changes are to be recorded
    /// @param told called with the name of each table that is about to be altered or dropped
    /// @param verdict asked last, immediately before the commit
    /// @return the result of `work`; null if the verdict was no, in which case nothing was written
    public <T> @Nullable T write(
            Duration limit,
            long maxWalBytes,
            boolean isFollowed,
            Consumer<String> told,
            TransactionWork<T> work,
            BooleanSupplier verdict) {
        Attached used = writer();
        used.connection.exec("BEGIN IMMEDIATE");
        try {
            used = follow(used, isFollowed);
            running = used.connection;
            altering = told;
            T result = used.transaction.run(work, TimeGuard.nanos(limit), maxWalBytes, "Nothing was written");
            if (used.connection.isAutocommit()) {
                throw Fault.CONFLICT.saying("A statement ended the transaction that it ran in. Nothing was written.");
            }
            used.transaction.committing(observer);
            long schema = used.connection.schemaVersion();
            if (!verdict.getAsBoolean()) return null;
            used.connection.exec("COMMIT");
            observer.committed();
            schemaAfterTurn = schema;
            return result;
        } finally {
            running = null;
            altering = _ -> {};
            Attached open = writer;
            if (open != null && !open.connection.isAutocommit()) open.connection.exec("ROLLBACK");
        }
    }

    /// Makes the running statement fail, if there is one. Any thread.
    public void interrupt() {
        SqliteConnection now = running;
        if (now != null) now.interrupt();
    }

    /// Starts or ends the recording of changes on the write connection, as `isFollowed` asks.
    ///
    /// Schema changes made by the server may leave our temporary triggers on tables that no longer exist. SQLite would
    /// revive such a trigger with the next table of that name. So a connection that has recorded changes is reopened
    /// when the schema has changed since its last turn.
    private Attached follow(Attached used, boolean isFollowed) {
        boolean isFollowing = observer != ChangeObserver.NONE;
        if (isFollowed == isFollowing && (!isFollowed || used.connection.schemaVersion() == schemaAfterTurn)) {
            return used;
        }
        Attached open = used;
        if (isFollowing) {
            open.connection.exec("ROLLBACK");
            closeWriter();
            open = writer();
            open.connection.exec("BEGIN IMMEDIATE");
        }
        if (isFollowed) observer = open.transaction.follow(following);
        return open;
    }

    private Attached writer() {
        Attached open = writer;
        if (open == null) {
            open = attach(Connections.attachedWriter(file, config));
            writer = open;
        }
        return open;
    }

    private void closeWriter() {
        observer = ChangeObserver.NONE;
        schemaAfterTurn = -1;
        if (writer != null) writer.close(watchdog);
        writer = null;
    }

    private Attached attach(SqliteConnection connection) {
        for (SqliteLimit limit : NONE_ALLOWED) {
            int _ = connection.limit(limit, 0);
        }
        prepared.accept(connection);
        StatementCache statements = new StatementCache(connection);
        TimeGuard guard = watchdog.guard(connection, () -> Store.size(Connections.wal(file)));
        OpenTransaction transaction = new OpenTransaction(
                "a statement on replica " + file.getFileName(),
                connection,
                statements,
                guard,
                this::observing,
                () -> {});
        return new Attached(connection, statements, guard, transaction);
    }

    /// Tells this connection's observer about a table to be altered, then the server, whose triggers on the table must
    /// go too. A dropped table is announced to the server only: its triggers on this connection go with it.
    private ChangeObserver observing() {
        ChangeObserver own = observer;
        return new ChangeObserver() {
            @Override
            public void altering(Transaction transaction, String table) {
                own.altering(transaction, table);
                altering.accept(table);
            }

            @Override
            public void dropping(Transaction transaction, String table) {
                altering.accept(table);
            }
        };
    }

    @Override
    public void close() {
        closeWriter();
        policed.close(watchdog);
        reader.close(watchdog);
        watchdog.close();
    }
}
