package dev.perigee.query;

import dev.perigee.config.QueryConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.BulkWrite;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.host.PluginRegistry;
import dev.perigee.query.external.ExternalCache;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.query.policy.Policies;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.source.Source;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Cancellation;
import dev.perigee.statement.Query;
import dev.perigee.statement.SqlStatement;
import dev.perigee.statement.StatementCall;
import dev.perigee.statement.StatementCall.Where;
import dev.perigee.store.Store;
import dev.perigee.worker.WorkerPool;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The one path that every caller's statement takes: the plugins' hooks, the caller's rights, the limits, the run. Safe
/// for many threads.
///
/// Statements that only read run in one read transaction, and their rows go to the sink as they are found. If any
/// statement writes, all run on the writer in one transaction, and the answer is sent after its commit.
public final class QueryEngine implements Queries, AutoCloseable {
    /// The migrations in the order in which they were added. A replica remembers how many it has, so none may move.
    private static final List<String> TABLES = Stream.of(
                    Policies.TABLES, Allowlist.TABLES, QueryLog.TABLES, ExternalCache.TABLES)
            .flatMap(List::stream)
            .toList();

    private final QueryContext context;
    private final Allowlist allowlist;
    private final Optional<QueryLog> log;
    private final QueryMetrics metrics;

    public QueryEngine(Store store, Optional<Source> source, PluginRegistry plugins, QueryConfig config) {
        MemoryBudget memory = MemoryBudget.ofHeap();
        PointReads points = new PointReads();
        store.migrate("query", TABLES);
        WorkerQueries workers = new WorkerQueries(store, plugins, config, store.pageCacheBytes(), memory, points);
        this.metrics = new QueryMetrics(InstantSource.system(), workers.pool()::stats);
        this.allowlist = new Allowlist(store, workers);
        Optional<ExternalCache> cache = source.map(
                external -> new ExternalCache(store, external.place(), config.cacheTime(), InstantSource.system()));
        this.log = config.log() ? Optional.of(new QueryLog(store)) : Optional.empty();
        CallerConnections connections =
                new CallerConnections(plugins.protectedTables(), plugins.functions()::register, store::observer);
        this.context = new QueryContext(store, source, plugins, config, memory, cache, points, workers, connections);
    }

    /// The memory budget that large requests and large answers share.
    public MemoryBudget memory() {
        return context.memory();
    }

    public QueryConfig config() {
        return context.config();
    }

    public QueryMetrics metrics() {
        return metrics;
    }

    @Override
    public void run(Query query, AnswerSink answers, Cancellation cancellation) {
        long begin = System.nanoTime();
        boolean isDone = false;
        try {
            check(query);
            runChecked(query, answers, cancellation);
            isDone = true;
        } finally {
            metrics.ran(query, System.nanoTime() - begin, isDone);
        }
    }

    /// Runs a point read of the replica on the calling thread, without waiting. It has to be a platform thread.
    ///
    /// @param answers may have received rows even if the result is false
    /// @return false if [#run] has to run the query: it is not known to be a point read, or cannot be run now
    /// @throws RuntimeException if [#run] would fail too, or the sink fails
    public boolean tryHere(Query query, AnswerSink answers) {
        if (!mayBeHere(query)) return false;
        StatementCall call = query.call(query.statements().getFirst());
        if (context.plugins().mayWait(call)) return false;
        StatementCall changed = context.plugins().beforeQuery(call);
        if (changed.where() != Where.INTERNAL || !context.points().mayBe(changed.sql())) return false;
        long begin = System.nanoTime();
        QueryRun run = new QueryRun(context, query, List.of(changed), answers, new Cancellation());
        run.begin();
        boolean isRead = context.store()
                .tryReadHere(
                        context.config().limits().readLimit(),
                        transaction -> context.points().isPoint(transaction, changed.sql()) && run.readIn(transaction))
                .orElse(false);
        if (!isRead) return false;
        long nanos = System.nanoTime() - begin;
        metrics.ranInline(query, nanos);
        log.ifPresent(kept -> kept.ran(changed.sql(), nanos));
        return true;
    }

    /// To be called when the answer of [#tryHere] turned out to be too large. The query is then left to [#run].
    public void isLarge(Query query) {
        context.points().isLarge(query.statements().getFirst().sql());
    }

    private boolean mayBeHere(Query query) {
        boolean isChecked = context.config().allowlist() || context.config().rowLevelSecurity();
        return query.statements().size() == 1
                && query.where() == Where.INTERNAL
                && (query.caller().isAdmin() || !isChecked);
    }

    private void check(Query query) {
        if (query.statements().size() > context.config().limits().maxTransactionStatements()) {
            throw Fault.TOO_LARGE.saying("A transaction can have at most %d statements; this one has %d."
                    .formatted(
                            context.config().limits().maxTransactionStatements(),
                            query.statements().size()));
        }
    }

    private void runChecked(Query query, AnswerSink answers, Cancellation cancellation) {
        List<StatementCall> calls = new ArrayList<>();
        for (SqlStatement statement : query.statements())
            calls.add(context.plugins().beforeQuery(query.call(statement)));
        for (int i = 0; i < calls.size(); i++) {
            check(calls.get(i));
            if (context.config().allowlist() && !query.caller().isAdmin()) {
                allowlist.check(calls.get(i), query.statements().get(i).sql());
            }
        }
        Where where = calls.getFirst().where();
        if (calls.stream().anyMatch(call -> call.where() != where)) {
            throw Fault.INVALID_REQUEST.saying("All statements of a transaction must run in the same place.");
        }
        QueryRun run = new QueryRun(context, query, calls, answers, cancellation);
        long begin = System.nanoTime();
        try {
            switch (where) {
                case INTERNAL -> run.internal();
                case EXTERNAL -> run.external();
            }
        } finally {
            long nanos = System.nanoTime() - begin;
            log.ifPresent(kept -> calls.forEach(call -> kept.ran(call.sql(), nanos)));
        }
    }

    @Override
    public <T> T bulk(Caller caller, BulkWrite.Work<T> work) {
        if (!caller.isAdmin()) throw Fault.FORBIDDEN.saying("Forbidden: this needs the admin token.");
        return context.store().write(transaction -> {
            CallerConnection lent = context.connections().of(transaction.connection());
            return lent.as(caller, false, () -> {
                try (CallerBulk bulk =
                        new CallerBulk(transaction, lent, context.store().observer())) {
                    return work.run(bulk);
                }
            });
        });
    }

    /// Starts a worker process, so that the first client does not have to wait for it. Returns at once.
    public void warmUp() {
        context.workers().pool().warmUp();
    }

    /// The processes that run clients' statements.
    public WorkerPool workers() {
        return context.workers().pool();
    }

    /// Ends the workers, and writes the log entries that are still waiting. The store must still be open.
    @Override
    public void close() {
        context.workers().close();
        log.ifPresent(QueryLog::close);
    }

    private void check(StatementCall call) {
        if (SqlWords.isBlank(call.sql())) throw Fault.INVALID_REQUEST.saying("Invalid or empty \"sql\" field.");
        if (call.sql().length() > context.config().limits().maxStatementBytes()) {
            throw Fault.TOO_LARGE.saying("A statement can have at most %d characters."
                    .formatted(context.config().limits().maxStatementBytes()));
        }
    }
}
