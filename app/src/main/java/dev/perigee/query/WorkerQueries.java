package dev.perigee.query;

import dev.perigee.config.QueryConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.plugin.host.ProtectedTables.Protection;
import dev.perigee.plugin.host.SqlFunctions;
import dev.perigee.query.WorkerProtocol.Request;
import dev.perigee.query.WorkerProtocol.Tag;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import dev.perigee.store.Store;
import dev.perigee.store.WriterLease;
import dev.perigee.worker.Wire;
import dev.perigee.worker.Worker;
import dev.perigee.worker.WorkerPool;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// Compiles and runs statements in worker processes ([QueryWorker]), so that no statement can harm the server process.
/// Safe for many threads.
final class WorkerQueries implements AutoCloseable {
    /// The main class of a worker process. It is given by name because it uses rooms that this one must not import.
    private static final String MAIN = "dev.perigee.WorkerMain";

    /// Rows that are skipped before the worker is asked again to stop.
    private static final int ROWS_BETWEEN_CANCELS = 256;

    private static final RowSink NOWHERE = new RowSink() {
        @Override
        public void columns(List<String> names) {}

        @Override
        public boolean row(List<Value> cells) {
            return false;
        }
    };

    /// How many turns a request that writes waits for. It needs another one if the turn before it ended the worker.
    private static final int MAX_WRITE_TURNS = 5;

    private static final Duration NORMALIZE_LIMIT = Duration.ofSeconds(5);

    /// Receives the answers of a request.
    ///
    /// @param rows gives the sink for the rows of the statement at an index
    /// @param end called with the index of a statement when it is done
    /// @param reads called with the copies that statements read, before their rows; see [StatementRun.Answers#reads]
    /// @param isAsking whether `reads` may refuse them
    record Answers(
            IntFunction<RowSink> rows, BiConsumer<Integer, Meta> end, Consumer<Set<String>> reads, boolean isAsking) {}

    /// What a worker process was told last; see [QueryWorker#putNews].
    private static final class Told {
        long protectedVersion = -1;
        int functionCount;
    }

    private final Store store;
    private final PluginRegistry plugins;
    private final QueryConfig config;
    private final MemoryBudget memory;
    private final PointReads points;
    private final WorkerPool pool;

    /// @param points learns which texts are point reads
    WorkerQueries(
            Store store,
            PluginRegistry plugins,
            QueryConfig config,
            long pageCacheBytes,
            MemoryBudget memory,
            PointReads points) {
        this.store = store;
        this.plugins = plugins;
        this.config = config;
        this.memory = memory;
        this.points = points;
        this.pool = new WorkerPool(
                config.workers(),
                MAIN,
                (wire, mayWrite) -> QueryWorker.greet(wire, store.file(), pageCacheBytes, mayWrite),
                store.threads());
    }

    WorkerPool pool() {
        return pool;
    }

    /// Runs statements that only read.
    ///
    /// @return false if one of them writes; nothing has been run then
    boolean read(
            Caller caller, boolean isPoliced, List<StatementCall> calls, Answers answers, Cancellation cancellation) {
        cancellation.check(); // A later cancellation costs a worker process.
        return pool.read(owner(caller), config.limits().readLimit(), worker -> {
            Wire wire = worker.wire();
            begin(worker, Request.READ);
            wire.putLong(worker.limit().toNanos());
            WorkerProtocol.putStatements(wire, caller, isPoliced, answers.isAsking(), calls);
            wire.flush();
            Exchange exchange = new Exchange(worker, answers, calls.size() == 1, null);
            cancellation.begin(worker::cancel);
            Tag last;
            try {
                last = exchange.run();
            } finally {
                cancellation.end();
            }
            if (last == Tag.DONE) points.get(wire, calls.getLast().sql());
            worker.finished();
            if (exchange.refusal != null) {
                cancellation.check(); // If it was cancelled, report that, and not the error that follows from it.
                throw exchange.refusal;
            }
            return last != Tag.WRITES;
        });
    }

    /// Runs statements in one transaction of the worker process that writes, while the server's own writer waits.
    ///
    /// When this returns, the answers are complete and the transaction is committed.
    ///
    /// @throws PerigeeException [Fault#BUSY] if too many turns before this one ended the worker process
    void write(Caller caller, boolean isPoliced, List<StatementCall> calls, Answers answers) {
        for (int turns = 0; turns < MAX_WRITE_TURNS; turns++) {
            pool.awaitWriter();
            if (hasWritten(caller, isPoliced, calls, answers)) return;
        }
        throw Fault.BUSY.in(
                "a client's statement",
                "while it waited for its turn, other statements ended the worker process that writes %d times"
                        .formatted(MAX_WRITE_TURNS),
                "It was not run");
    }

    /// @return false if the turn before this one ended the worker that writes; nothing has been run then
    private boolean hasWritten(Caller caller, boolean isPoliced, List<StatementCall> calls, Answers answers) {
        return store.lendWriter(lease -> {
            WriteTurn turn = new WriteTurn(caller, isPoliced, calls, answers, lease);
            try {
                return pool.write(config.limits().writeLimit(), turn::run);
            } catch (PerigeeException e) {
                // The worker died after it was told to commit. By now it is known whether it did.
                if (turn.isCommitSent && lease.hasCommitted()) return true;
                throw e;
            }
        });
    }

    /// SQLite's normalized form of `sql`.
    String normalized(Caller caller, String sql) {
        return pool.read(owner(caller), NORMALIZE_LIMIT, worker -> {
            begin(worker, Request.NORMALIZE);
            worker.wire().putText(sql).flush();
            Exchange exchange = new Exchange(worker, NO_ANSWERS, false, null);
            String text = exchange.run() == Tag.TEXT ? worker.wire().getText() : "";
            worker.finished();
            if (exchange.refusal != null) throw exchange.refusal;
            return text;
        });
    }

    private static final Answers NO_ANSWERS = new Answers(
            _ -> {
                throw new IllegalStateException("no rows are asked for");
            },
            (_, _) -> {},
            _ -> {},
            false);

    /// All callers with the same token are one owner of workers. Callers with a JWT are told apart by its subject.
    private static String owner(Caller caller) {
        return caller.role() + caller.subject().map(subject -> " " + subject).orElse("");
    }

    private void begin(Worker worker, Request request) {
        worker.wire().putByte(request.ordinal());
        Told told = worker.remembered() instanceof Told known ? known : new Told();
        worker.remember(told);
        long version = plugins.protectedTables().version();
        Map<String, Protection> tables = version == told.protectedVersion
                ? null
                : plugins.protectedTables().all();
        List<SqlFunctions.Named> functions = plugins.functions().all();
        QueryWorker.putNews(worker.wire(), tables, functions.subList(told.functionCount, functions.size()));
        told.protectedVersion = version;
        told.functionCount = functions.size();
    }

    /// One request that writes, on the writer thread.
    private final class WriteTurn {
        private final Caller caller;
        private final boolean isPoliced;
        private final List<StatementCall> calls;
        private final Answers answers;
        private final WriterLease lease;
        private boolean isCommitSent;

        WriteTurn(Caller caller, boolean isPoliced, List<StatementCall> calls, Answers answers, WriterLease lease) {
            this.caller = caller;
            this.isPoliced = isPoliced;
            this.calls = calls;
            this.answers = answers;
            this.lease = lease;
        }

        void run(Worker worker) {
            Wire wire = worker.wire();
            begin(worker, Request.WRITE);
            wire.putLong(config.limits().writeLimit().toNanos())
                    .putLong(config.limits().maxWriteBytes())
                    .putLong(config.limits().maxDatabaseBytes())
                    .putBoolean(lease.isFollowed());
            WorkerProtocol.putStatements(wire, caller, isPoliced, answers.isAsking(), calls);
            wire.flush();
            Exchange exchange = new Exchange(worker, answers, false, lease);
            if (exchange.run() == Tag.READY) {
                isCommitSent = exchange.refusal == null;
                wire.putBoolean(isCommitSent).flush();
                if (WorkerProtocol.tag(wire) == Tag.FAILED) exchange.refusal = WorkerProtocol.fault(wire);
            }
            worker.finished();
            if (exchange.refusal != null) throw exchange.refusal;
        }
    }

    /// Reads the worker's messages until it is done, or ready to commit.
    private final class Exchange {
        private final Wire wire;
        private final Worker worker;
        private final Answers answers;
        private final boolean mayCancel;
        private final @Nullable WriterLease lease;
        private int index;
        private int columnCount;
        private long rowCount;
        private RowSink rows = NOWHERE;
        private boolean isStopped;

        /// Why the request fails: the worker's fault, or an exception here. Later rows are skipped.
        private @Nullable RuntimeException refusal;

        /// @param mayCancel whether the worker may stop early, because only rows are lost then
        /// @param lease the writer's turn; null in a request that only reads
        Exchange(Worker worker, Answers answers, boolean mayCancel, @Nullable WriterLease lease) {
            this.worker = worker;
            this.wire = worker.wire();
            this.answers = answers;
            this.mayCancel = mayCancel;
            this.lease = lease;
        }

        Tag run() {
            while (true) {
                Tag tag = WorkerProtocol.tag(wire);
                switch (tag) {
                    case READS -> reads(Set.copyOf(WorkerProtocol.texts(wire)));
                    case COLUMNS -> columns(WorkerProtocol.texts(wire));
                    case ROW -> row();
                    case END -> end(new Meta(wire.getLong(), wire.getLong()));
                    case CALL -> call();
                    case ALTERING -> altering(wire.getText());
                    case FAILED -> {
                        PerigeeException failure = WorkerProtocol.fault(wire);
                        if (refusal == null && isStopped) end(new Meta(rowCount, 0));
                        else if (refusal == null) refusal = failure;
                        return tag;
                    }
                    case READY, DONE, WRITES, COMMITTED, ROLLED_BACK, TEXT -> {
                        return tag;
                    }
                }
            }
        }

        /// A refusal ends the request in the worker, too, which waits for the answer.
        private void reads(Set<String> copies) {
            if (!answers.isAsking()) {
                attempt(() -> answers.reads().accept(copies));
                return;
            }
            try {
                answers.reads().accept(copies);
            } catch (RuntimeException e) {
                if (refusal == null) refusal = e;
            }
            wire.putBoolean(refusal == null).flush();
        }

        private void columns(List<String> names) {
            columnCount = names.size();
            rowCount = 0;
            isStopped = false;
            attempt(() -> {
                rows = answers.rows().apply(index);
                rows.columns(names);
            });
        }

        private void row() {
            rowCount++;
            if (refusal != null || isStopped) {
                for (int column = 0; column < columnCount; column++) WorkerProtocol.skipValue(wire);
                if (rowCount % ROWS_BETWEEN_CANCELS == 0) cancel();
                return;
            }
            Value[] cells = new Value[columnCount];
            try (MemoryBudget.Reservation reservation = memory.reserve("A row of the answer")) {
                if (!read(cells, reservation)) return;
                attempt(() -> {
                    if (rows.row(Collections.unmodifiableList(Arrays.asList(cells)))) return;
                    isStopped = true;
                    cancel();
                });
            }
        }

        /// @return false if the row does not fit into memory; it was skipped then
        private boolean read(Value[] cells, MemoryBudget.Reservation reservation) {
            long[] rowBytes = {0, 0};
            for (int column = 0; column < columnCount; column++) {
                if (refusal != null) {
                    WorkerProtocol.skipValue(wire);
                    continue;
                }
                try {
                    cells[column] = WorkerProtocol.value(wire, length -> {
                        rowBytes[0] += length;
                        if (rowBytes[0] <= BudgetedRows.LARGE_ROW_BYTES) return;
                        reservation.grow(BudgetedRows.COPIES * (rowBytes[0] - rowBytes[1]));
                        rowBytes[1] = rowBytes[0];
                    });
                } catch (PerigeeException e) {
                    refuse(e);
                }
            }
            return refusal == null;
        }

        private void end(Meta meta) {
            int ended = index++;
            Meta shown = isStopped ? new Meta(rowCount, meta.rowsWritten()) : meta;
            if (refusal == null) attempt(() -> answers.end().accept(ended, shown));
        }

        private void call() {
            SqlFunctions.Named function = plugins.functions().get(wire.getInt());
            List<Value> arguments = WorkerProtocol.list(wire, WorkerProtocol::value);
            try {
                Value result = function.function().call(arguments);
                wire.putBoolean(true);
                WorkerProtocol.putValue(wire, result);
            } catch (PerigeeException e) {
                wire.putBoolean(false);
                WorkerProtocol.putFault(wire, e);
            } catch (RuntimeException e) {
                wire.putBoolean(false);
                WorkerProtocol.putFault(
                        wire,
                        Fault.INTERNAL.saying("The function %s failed: %s".formatted(function.name(), e.getMessage())));
            }
            wire.flush();
        }

        private void altering(String table) {
            if (lease == null) throw new IllegalStateException("a read alters the table " + table);
            attempt(() -> lease.altering(table));
            wire.putByte(0).flush();
        }

        private void attempt(Runnable work) {
            try {
                work.run();
            } catch (RuntimeException e) {
                refuse(e);
            }
        }

        private void refuse(RuntimeException e) {
            if (refusal == null) refusal = e;
            cancel();
        }

        private void cancel() {
            if (mayCancel || refusal != null && lease == null) worker.abandon();
            else if (refusal != null) worker.cancel();
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
