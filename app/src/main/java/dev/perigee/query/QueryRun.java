package dev.perigee.query;

import dev.perigee.config.QueryConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
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
import dev.perigee.statement.Query;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Set;
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
    private final FreshnessCheck freshness;

    /// @param calls what the hooks made of the query's statements
    QueryRun(
            QueryContext context,
            Query query,
            List<StatementCall> calls,
            AnswerSink answers,
            Cancellation cancellation) {
        this.context = context;
        this.wantsCache = query.wantsCache();
        this.caller = query.caller();
        this.freshness = new FreshnessCheck(context.plugins().freshness(), query.demand(), answers);
        this.isPoliced = context.config().rowLevelSecurity() && !caller.isAdmin();
        this.isInWorker = !caller.isAdmin() || context.config().workers().forAdmins();
        this.calls = calls;
        this.answers = answers;
        this.cancellation = cancellation;
    }

    /// Runs the statements on the replica. Waits first until the copies that they read are as fresh as the query
    /// demands. Where they are not, and the query wants that, runs the statements at the external database.
    void internal() {
        while (true) {
            freshness.begin();
            try {
                if (!read()) write();
                return;
            } catch (PerigeeException e) {
                if (!freshness.isHeld(e)) throw e;
            }
            if (!freshness.retries(context.config().limits().readLimit(), cancellation)) {
                external();
                return;
            }
        }
    }

    /// To be called before [#readIn], when no transaction has begun for it.
    void begin() {
        freshness.begin();
    }

    /// Runs the statements if all of them only read, in a worker process or in this one.
    ///
    /// @return false if a statement writes; nothing has been run then
    private boolean read() {
        if (!isInWorker)
            return context.store().readForCaller(context.config().limits().readLimit(), this::readIn);
        return context.workers()
                .read(
                        caller,
                        isPoliced,
                        calls,
                        new WorkerQueries.Answers(
                                index -> observed(calls.get(index)),
                                (_, meta) -> answers.end(meta),
                                this::readsNow,
                                freshness.isAsking()),
                        cancellation);
    }

    /// Does [#read] in this process, for an admin's statements or a point read.
    boolean readIn(Transaction transaction) {
        CallerConnection lent = context.connections().of(transaction.connection());
        cancellation.begin(transaction.connection());
        try {
            StatementRun run = statements(index -> observed(calls.get(index)), answers::end, this::readsNow);
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

    /// Called before the rows of statements that only read.
    private void readsNow(Set<String> copies) {
        freshness.reads(copies);
        freshness.tell();
    }

    private void write() {
        try (MemoryBudget.Reservation reservation = context.memory().reserve("The answer of a request that writes")) {
            CollectedAnswer collected = isInWorker ? writeInWorker(reservation) : writeHere(reservation);
            answers.committed();
            freshness.tell();
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
                        new WorkerQueries.Answers(
                                _ -> limited(collected),
                                (_, meta) -> collected.end(meta),
                                freshness::reads,
                                freshness.isAsking()));
        return collected;
    }

    private CollectedAnswer writeHere(MemoryBudget.Reservation reservation) {
        QueryConfig.Limits limits = context.config().limits();
        return context.store().writeForCaller(limits.writeLimit(), limits.maxWriteBytes(), transaction -> {
            // The store may run this twice. What the first run has collected is dropped.
            reservation.giveBack();
            CollectedAnswer collected = new CollectedAnswer(reservation);
            statements(_ -> limited(collected), collected::end, freshness::reads)
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
        List<StatementCall> there =
                calls.stream().map(call -> call.with(Where.EXTERNAL)).toList();
        if (there.size() > 1) run.transaction(there);
        else if (wantsCache && context.cache().isPresent())
            run.cached(there.getFirst(), context.cache().get());
        else run.single(there.getFirst());
    }

    /// The statements, to be run in this process.
    ///
    /// @param rows gives the sink of each statement's rows
    /// @param reads see [StatementRun.Answers#reads]
    private StatementRun statements(IntFunction<RowSink> rows, Consumer<Meta> end, Consumer<Set<String>> reads) {
        StatementRun.Answers all = new StatementRun.Answers() {
            @Override
            public void reads(Set<String> copies) {
                reads.accept(copies);
            }

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
