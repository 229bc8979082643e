package dev.perigee.query;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.host.ProtectedTables;
import dev.perigee.plugin.host.ProtectedTables.Protection;
import dev.perigee.plugin.host.SqlFunctions;
import dev.perigee.query.WorkerProtocol.Statements;
import dev.perigee.query.WorkerProtocol.Tag;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.AttachedReplica;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Transaction;
import dev.perigee.worker.Wire;
import dev.perigee.worker.WireException;
import dev.perigee.worker.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Runs callers' statements in a worker process; [WorkerQueries] is the server's side. Serves one request at a time on
/// one thread; [#cancel()] is called on another.
public final class QueryWorker implements WorkerProcess.Work {
    /// Initial size of the array that texts and blobs are copied through.
    private static final int SPARE_BYTES = 16 << 10;

    private static final Duration NORMALIZE_LIMIT = Duration.ofSeconds(5);
    private static final Duration WARM_UP_LIMIT = Duration.ofMinutes(1);
    private static final int WARM_UPS = 10;

    private final Wire wire;
    private final boolean mayWrite;
    private final ProtectedTables protectedTables = new ProtectedTables();
    private final SqlFunctions functions = new SqlFunctions();
    private final AttachedReplica replica;
    private final CallerConnections connections;
    private final PointReads points = new PointReads();
    private volatile Cancellation cancellation = new Cancellation();

    private QueryWorker(
            StoreConfig config, boolean mayWrite, Wire wire, Function<Transaction, ChangeObserver> following) {
        this.wire = wire;
        this.mayWrite = mayWrite;
        this.replica = new AttachedReplica(config, following, _ -> {});
        this.connections = new CallerConnections(protectedTables, functions::register, replica::observer);
    }

    /// Reads the server's greeting and opens the replica.
    ///
    /// @param following makes the observer that records changes while somebody follows them
    public static QueryWorker open(Wire wire, Function<Transaction, ChangeObserver> following) {
        Path directory = Path.of(wire.getText());
        String fileName = wire.getText();
        long pageCacheBytes = wire.getLong();
        boolean mayWrite = wire.getBoolean();
        StoreConfig base = StoreConfig.of(directory);
        QueryWorker worker = new QueryWorker(
                new StoreConfig(
                        directory,
                        fileName,
                        base.readers(),
                        base.writeQueue(),
                        base.walLimitBytes(),
                        base.checkpointBytes(),
                        pageCacheBytes,
                        base.lockWait()),
                mayWrite,
                wire,
                following);
        worker.warmUp();
        return worker;
    }

    /// Runs a statement that loads the classes and links the native functions that every statement needs. This takes
    /// longer than most statements, and must not count against the time limit of the first client's statement.
    private void warmUp() {
        StatementCall call = new StatementCall(
                "SELECT 1, 1.5, 'a', NULL WHERE ?1",
                List.of(new Value.Int(1)),
                Map.of(),
                Where.INTERNAL,
                Caller.CLIENT,
                false);
        WireAnswers answers = new WireAnswers(Wire.toNowhere(), false);
        for (int i = 0; i < WARM_UPS; i++) {
            replica.read(
                    WARM_UP_LIMIT,
                    false,
                    transaction -> new StatementRun(
                                    Caller.CLIENT, false, List.of(call), new RowReader(cancellation), answers)
                            .read(connections.of(transaction.connection())));
        }
    }

    /// Sends the greeting that [#open] reads. Called in the server.
    static void greet(Wire wire, Path file, long pageCacheBytes, boolean mayWrite) {
        wire.putText(String.valueOf(file.getParent()))
                .putText(String.valueOf(file.getFileName()))
                .putLong(pageCacheBytes)
                .putBoolean(mayWrite);
    }

    @Override
    public void serve() {
        cancellation = new Cancellation();
        WorkerProtocol.Request request = WorkerProtocol.Request.of(wire.getByte());
        learnNews();
        try {
            switch (request) {
                case READ -> read();
                case WRITE -> write();
                case NORMALIZE -> normalize();
            }
        } catch (PerigeeException e) {
            fail(e);
        } catch (WireException e) {
            throw e;
        } catch (RuntimeException e) {
            System.err.println("running a statement failed unexpectedly: " + e);
            fail(Fault.INTERNAL.saying("The worker failed while it ran the statement. Nothing was written."));
        }
    }

    private void fail(PerigeeException e) {
        WorkerProtocol.put(wire, Tag.FAILED);
        WorkerProtocol.putFault(wire, e);
    }

    @Override
    public void cancel() {
        cancellation.cancel(Fault.TIME_LIMIT.saying("The statement was stopped."));
        replica.interrupt();
    }

    @Override
    public boolean isUrgent() {
        return mayWrite; // The server's only writer waits for it.
    }

    @Override
    public Files files() {
        Path file = replica.file();
        Set<Path> readable = new HashSet<>(Set.of(
                Path.of(System.getProperty("java.home")),
                Path.of("/dev/urandom"),
                Path.of("/etc/localtime"),
                Path.of("/usr/share/zoneinfo")));
        readable.addAll(WorkerProcess.classPath());
        // Readers write too: they take their locks in the WAL index.
        Set<Path> writable = new HashSet<>(Set.of(beside(file, "-shm")));
        (mayWrite ? writable : readable).addAll(Set.of(file, beside(file, "-wal")));
        return new Files(readable, writable);
    }

    private static Path beside(Path file, String ending) {
        return file.resolveSibling(file.getFileName() + ending);
    }

    private void read() {
        Duration limit = Duration.ofNanos(wire.getLong());
        Statements request = WorkerProtocol.statements(wire);
        boolean isDone = replica.read(limit, request.isPoliced(), transaction -> {
            CallerConnection lent = connections.of(transaction.connection());
            StatementRun run = run(request);
            boolean isRead = run.read(lent);
            if (isRead && !request.isPoliced()) {
                run.repeated().ifPresent(statement -> points.learn(transaction, statement));
            }
            return isRead;
        });
        WorkerProtocol.put(wire, isDone ? Tag.DONE : Tag.WRITES);
        if (isDone) points.put(wire, request.calls().getLast().sql());
    }

    private void write() {
        Duration limit = Duration.ofNanos(wire.getLong());
        long maxWalBytes = wire.getLong();
        long maxDatabaseBytes = wire.getLong();
        boolean isFollowed = wire.getBoolean();
        Statements request = WorkerProtocol.statements(wire);
        Boolean isCommitted = replica.write(
                limit,
                maxWalBytes,
                isFollowed,
                this::tellAltering,
                transaction -> {
                    CallerConnection lent = connections.of(transaction.connection());
                    run(request).write(transaction, lent, replica.observer(), maxDatabaseBytes);
                    return true;
                },
                this::mayCommit);
        WorkerProtocol.put(wire, isCommitted == null ? Tag.ROLLED_BACK : Tag.COMMITTED);
    }

    private void normalize() {
        String sql = wire.getText();
        String text =
                replica.read(NORMALIZE_LIMIT, false, transaction -> NormalizedSql.of(transaction.connection(), sql));
        WorkerProtocol.put(wire, Tag.TEXT);
        wire.putText(text);
    }

    private StatementRun run(Statements request) {
        return new StatementRun(
                request.caller(),
                request.isPoliced(),
                request.calls(),
                new RowReader(cancellation),
                new WireAnswers(wire, request.isAsking()));
    }

    private void tellAltering(String table) {
        WorkerProtocol.put(wire, Tag.ALTERING);
        wire.putText(table).flush();
        wire.getByte();
    }

    private boolean mayCommit() {
        WorkerProtocol.put(wire, Tag.READY);
        wire.flush();
        return wire.getBoolean();
    }

    /// Sends what has changed in the server since it last spoke to this worker.
    ///
    /// @param protectedTables all of them; null if they have not changed
    /// @param functions the plugins' functions that were added
    static void putNews(
            Wire wire, @Nullable Map<String, Protection> protectedTables, List<SqlFunctions.Named> functions) {
        wire.putBoolean(protectedTables != null);
        if (protectedTables != null) {
            WorkerProtocol.putMap(
                    wire,
                    protectedTables,
                    (w, table) ->
                            w.putText(table.plugin()).putText(table.reason()).putBoolean(table.fromAdmins()));
        }
        wire.putInt(functions.size());
        for (SqlFunctions.Named each : functions) wire.putText(each.name()).putInt(each.argumentCount());
    }

    private void learnNews() {
        if (wire.getBoolean()) {
            protectedTables.replace(
                    WorkerProtocol.map(wire, w -> new Protection(w.getText(), w.getText(), w.getBoolean())));
        }
        int count = wire.getInt();
        for (int i = 0; i < count; i++) {
            String name = wire.getText();
            int argumentCount = wire.getInt();
            int number = functions.size();
            functions.add(name, argumentCount, arguments -> call(number, arguments));
            SqlFunctions.Named added = functions.get(number);
            connections.forEach(added::register);
        }
    }

    /// Calls a plugin's function. It runs in the server, where the plugin is.
    private Value call(int number, List<Value> arguments) {
        WorkerProtocol.put(wire, Tag.CALL);
        wire.putInt(number).putInt(arguments.size());
        arguments.forEach(argument -> WorkerProtocol.putValue(wire, argument));
        wire.flush();
        if (wire.getBoolean()) return WorkerProtocol.value(wire);
        throw WorkerProtocol.fault(wire);
    }

    /// Sends answers to the server row by row.
    private static final class WireAnswers implements StatementRun.Answers, RowReader.Target {
        private final Wire wire;
        private final boolean isAsking;
        private byte[] spare = new byte[SPARE_BYTES];

        /// @param isAsking whether the server says if copies may be read
        WireAnswers(Wire wire, boolean isAsking) {
            this.wire = wire;
            this.isAsking = isAsking;
        }

        @Override
        public void reads(Set<String> copies) {
            WorkerProtocol.put(wire, Tag.READS);
            WorkerProtocol.putTexts(wire, List.copyOf(copies));
            if (!isAsking) return;
            wire.flush();
            if (!wire.getBoolean()) throw Fault.STALE.saying("The server does not want these copies to be read.");
        }

        @Override
        public RowReader.Target rows(int index) {
            return this;
        }

        @Override
        public void columns(List<String> names) {
            WorkerProtocol.put(wire, Tag.COLUMNS);
            WorkerProtocol.putTexts(wire, names);
        }

        @Override
        public boolean row(SqliteStatement statement, int columnCount) {
            WorkerProtocol.put(wire, Tag.ROW);
            for (int column = 0; column < columnCount; column++) {
                spare = WorkerProtocol.putCell(wire, statement, column, spare);
            }
            return true;
        }

        @Override
        public void end(int index, Meta meta) {
            WorkerProtocol.put(wire, Tag.END);
            wire.putLong(meta.rowsRead()).putLong(meta.rowsWritten());
        }
    }
}
