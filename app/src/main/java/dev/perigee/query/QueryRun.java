package dev.perigee.query;

import dev.perigee.config.QueryConfig;
import dev.perigee.fault.Fault;
import dev.perigee.query.external.CollectedAnswer;
import dev.perigee.query.external.ExternalRun;
import dev.perigee.query.external.LimitedRows;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/// Runs one query where it belongs, after the plugins' hooks and the checks. Used once, by one thread.
final class QueryRun {
    private final QueryContext context;
    private final Caller caller;
    private final boolean isPoliced;
    private final boolean isInWorker;
    private final List<StatementCall> calls;
    private final AnswerSink answers;
    private final Cancellation cancellation;
    private final boolean wantsCache;

    QueryRun(
            QueryContext context,
            Caller caller,
            List<StatementCall> calls,
            AnswerSink answers,
            Cancellation cancellation,
            boolean wantsCache) {
        this.context = context;
        this.wantsCache = wantsCache;
        this.caller = caller;
        this.isPoliced = context.config().rowLevelSecurity() && !caller.isAdmin();
        this.isInWorker = !caller.isAdmin() || context.config().workers().forAdmins();
        this.calls = calls;
        this.answers = answers;
        this.cancellation = cancellation;
    }

    /// Runs the statements if all of them only read, in a worker process or in this one.
    ///
    /// @return false if a statement writes; nothing has been run then
    boolean read() {
        if (!isInWorker)
            return context.store().readForCaller(context.config().limits().readLimit(), this::readIn);
        return context.workers()
                .read(
                        caller,
                        isPoliced,
                        calls,
                        new WorkerQueries.Answers(index -> observed(calls.get(index)), (_, meta) -> answers.end(meta)),
                        cancellation);
    }

    /// Does [#read] in this process, for an admin's statements or a point read.
    boolean readIn(Transaction transaction) {
        CallerConnection lent = context.connections().of(transaction.connection());
        cancellation.begin(transaction.connection());
        try {
            StatementRun run = statements(index -> observed(calls.get(index)), answers::end);
            boolean isRead = run.read(lent);
            if (isRead) run.repeated().ifPresent(statement -> context.points().learn(transaction, statement));
            return isRead;
        } catch (SqliteException e) {
            cancellation.check(); // If it was cancelled, report that, and not the error that follows from it.
            throw e;
        } finally {
            cancellation.end();
        }
    }

    void write() {
        try (MemoryBudget.Reservation reservation = context.memory().reserve("The answer of a request that writes")) {
            CollectedAnswer collected = isInWorker ? writeInWorker(reservation) : writeHere(reservation);
            answers.committed();
            for (int i = 0; i < calls.size(); i++) {
                Meta meta = collected.replay(i, observed(calls.get(i)));
                answers.end(meta);
            }
        }
    }

    private CollectedAnswer writeInWorker(MemoryBudget.Reservation reservation) {
        CollectedAnswer collected = new CollectedAnswer(reservation);
        context.workers()
                .write(
                        caller,
                        isPoliced,
                        calls,
                        new WorkerQueries.Answers(_ -> limited(collected), (_, meta) -> collected.end(meta)));
        return collected;
    }

    private CollectedAnswer writeHere(MemoryBudget.Reservation reservation) {
        QueryConfig.Limits limits = context.config().limits();
        return context.store().writeForCaller(limits.writeLimit(), limits.maxWriteBytes(), transaction -> {
            // The store may run this twice. What the first run has collected is dropped.
            reservation.giveBack();
            CollectedAnswer collected = new CollectedAnswer(reservation);
            statements(_ -> limited(collected), collected::end)
                    .write(
                            transaction,
                            context.connections().of(transaction.connection()),
                            context.store().observer(),
                            limits.maxDatabaseBytes());
            return collected;
        });
    }

    void external() {
        if (isPoliced) {
            throw Fault.FORBIDDEN.saying(
                    "The external database is for admins only while row-level security is on: no policy applies there.");
        }
        Source external = ExternalRun.required(context.source());
        ExternalRun run = new ExternalRun(
                external, context.memory(), context.config().limits().maxRows(), answers, this::observed, cancellation);
        if (calls.size() > 1) run.transaction(calls);
        else if (wantsCache && context.cache().isPresent())
            run.cached(calls.getFirst(), context.cache().get());
        else run.single(calls.getFirst());
    }

    /// The statements, to be run in this process.
    ///
    /// @param rows gives the sink of each statement's rows
    private StatementRun statements(IntFunction<RowSink> rows, Consumer<Meta> end) {
        StatementRun.Answers all = new StatementRun.Answers() {
            @Override
            public RowReader.Target rows(int index) {
                return new BudgetedRows(context.memory(), rows.apply(index));
            }

            @Override
            public void end(int index, Meta meta) {
                end.accept(meta);
            }
        };
        return new StatementRun(caller, false, calls, new RowReader(cancellation), all);
    }

    /// A sink that passes a statement's rows to the answers, through the plugins' hooks and the limit on rows.
    private RowSink observed(StatementCall call) {
        return context.plugins().afterQuery(call, limited(answers));
    }

    /// The limit on rows holds before a commit, so that nothing was written if it is exceeded.
    private LimitedRows limited(RowSink rows) {
        return new LimitedRows(rows, context.config().limits().maxRows());
    }
}
