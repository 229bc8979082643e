package dev.perigee.query;

import dev.perigee.config.QueryConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.AnswerSink;
import dev.perigee.plugin.AnswerSink.Meta;
import dev.perigee.plugin.BulkWrite;
import dev.perigee.plugin.Caller;
import dev.perigee.plugin.Cancellation;
import dev.perigee.plugin.PluginRegistry;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.Query;
import dev.perigee.plugin.Query.Statement;
import dev.perigee.plugin.StatementCall;
import dev.perigee.plugin.StatementCall.Where;
import dev.perigee.source.RowSink;
import dev.perigee.source.Source;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import dev.perigee.store.Store.Transaction;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The one path every statement takes: the plugins' hooks, the caller's rights, the limits, the run. Safe
/// for
/// many threads.
///
/// Statements that only read run in one read transaction and their rows go to the sink as they are found.
/// If
/// any of them writes, all run on the writer in one transaction, and the answer is sent after it has
/// committed.
public final class QueryEngine implements Queries, AutoCloseable {
    /// In the order in which they came; a replica remembers how many it has.
    private static final List<String> TABLES = Stream.of(
                    Policies.TABLES, Allowlist.TABLES, QueryLog.TABLES, ExternalCache.TABLES)
            .flatMap(List::stream)
            .toList();

    private final Store store;
    private final Optional<Source> source;
    private final PluginRegistry plugins;
    private final QueryConfig config;
    private final MemoryBudget memory;
    private final Allowlist allowlist;
    private final Optional<QueryLog> log;
    private final Optional<ExternalCache> cache;
    private final PointReads points = new PointReads();
    private final QueryMetrics metrics = new QueryMetrics(InstantSource.system());

    /// Lives as long as the store's connections do: one for each reader and the writer.
    private final Map<SqliteConnection, CallerConnection> connections = new ConcurrentHashMap<>();

    public QueryEngine(Store store, Optional<Source> source, PluginRegistry plugins, QueryConfig config) {
        this.store = store;
        this.source = source;
        this.plugins = plugins;
        this.config = config;
        this.memory = MemoryBudget.ofHeap();
        store.migrate("query", TABLES);
        this.allowlist = new Allowlist(store);
        this.cache = source.map(
                external -> new ExternalCache(store, external.place(), config.cacheTime(), InstantSource.system()));
        this.log = config.log() ? Optional.of(new QueryLog(store)) : Optional.empty();
    }

    /// The memory that large requests share with large answers.
    public MemoryBudget memory() {
        return memory;
    }

    public QueryConfig config() {
        return config;
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

    /// Runs a point read of the replica on this very thread, which has to be a platform thread, without
    /// waiting.
    ///
    /// @param answers may have had rows also when the result is false
    /// @return false if it has to be run by [#run]: it is no point read, as far as is known, or cannot be
    ///     run now
    /// @throws RuntimeException where [#run] would fail too, or the sink does
    public boolean tryHere(Query query, AnswerSink answers) {
        if (!mayBeHere(query)) return false;
        StatementCall call = query.call(query.statements().getFirst());
        if (plugins.mayWait(call)) return false;
        StatementCall changed = plugins.beforeQuery(call);
        if (changed.where() != Where.INTERNAL || !points.mayBe(changed.sql())) return false;
        long begin = System.nanoTime();
        Run run = new Run(query.caller(), List.of(changed), answers, new Cancellation(), false);
        boolean isRead = store.tryReadHere(
                        config.readLimit(),
                        transaction -> points.isPoint(transaction, changed.sql()) && run.readIn(transaction))
                .orElse(false);
        if (!isRead) return false;
        long nanos = System.nanoTime() - begin;
        metrics.ranInline(query, nanos);
        log.ifPresent(kept -> kept.ran(changed.sql(), nanos));
        return true;
    }

    /// What the query asks turned out to be too large for [#tryHere].
    public void isLarge(Query query) {
        points.isLarge(query.statements().getFirst().sql());
    }

    private boolean mayBeHere(Query query) {
        boolean isChecked = config.allowlist() || config.rowLevelSecurity();
        return query.statements().size() == 1
                && query.where() == Where.INTERNAL
                && (query.caller().isAdmin() || !isChecked);
    }

    private void check(Query query) {
        if (query.statements().size() > config.maxTransactionStatements()) {
            throw Fault.TOO_LARGE.saying("A transaction has at most %d statements, this one has %d."
                    .formatted(
                            config.maxTransactionStatements(),
                            query.statements().size()));
        }
    }

    private void runChecked(Query query, AnswerSink answers, Cancellation cancellation) {
        List<StatementCall> calls = new ArrayList<>();
        for (Statement statement : query.statements()) calls.add(plugins.beforeQuery(query.call(statement)));
        for (StatementCall call : calls) {
            check(call);
            if (config.allowlist() && !query.caller().isAdmin()) allowlist.check(call);
        }
        Where where = calls.getFirst().where();
        if (calls.stream().anyMatch(call -> call.where() != where)) {
            throw Fault.INVALID_REQUEST.saying("The statements of a transaction run in one place.");
        }
        Run run = new Run(query.caller(), calls, answers, cancellation, query.wantsCache());
        long begin = System.nanoTime();
        try {
            switch (where) {
                case INTERNAL -> {
                    if (!run.read()) run.write();
                }
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
        return store.write(transaction -> {
            CallerConnection lent = connection(transaction.connection());
            return lent.as(caller, false, () -> {
                try (CallerBulk bulk = new CallerBulk(transaction, lent, store.observer())) {
                    return work.run(bulk);
                }
            });
        });
    }

    /// Writes what is still to be logged; the store is to be open still.
    @Override
    public void close() {
        log.ifPresent(QueryLog::close);
    }

    private void check(StatementCall call) {
        if (SqlText.isBlank(call.sql())) throw Fault.INVALID_REQUEST.saying("Invalid or empty \"sql\" field.");
        if (call.sql().length() > config.maxStatementBytes()) {
            throw Fault.TOO_LARGE.saying(
                    "A statement has at most %d characters.".formatted(config.maxStatementBytes()));
        }
    }

    private CallerConnection connection(SqliteConnection connection) {
        return connections.computeIfAbsent(connection, c -> new CallerConnection(c, plugins, store::observer));
    }

    /// One query under way.
    private final class Run {
        private final Caller caller;
        private final boolean isPoliced;
        private final List<StatementCall> calls;
        private final AnswerSink answers;
        private final Cancellation cancellation;
        private final RowReader rows;
        private final boolean wantsCache;

        Run(
                Caller caller,
                List<StatementCall> calls,
                AnswerSink answers,
                Cancellation cancellation,
                boolean wantsCache) {
            this.wantsCache = wantsCache;
            this.caller = caller;
            this.isPoliced = config.rowLevelSecurity() && !caller.isAdmin();
            this.calls = calls;
            this.answers = answers;
            this.cancellation = cancellation;
            this.rows = new RowReader(memory, cancellation);
        }

        /// @return false, and nothing has been run, if a statement writes
        boolean read() {
            return store.readForCaller(config.readLimit(), this::readIn);
        }

        boolean readIn(Transaction transaction) {
            SqliteConnection connection = isPoliced ? transaction.apart() : transaction.connection();
            CallerConnection lent = connection(connection);
            cancellation.begin(connection);
            try {
                return lent.as(caller, isPoliced, () -> {
                    if (isPoliced) lent.police();
                    // All are looked at before any runs: an answer once begun cannot move to the writer.
                    if (calls.size() > 1 && !allReadonly(lent)) return false;
                    for (int i = 0; i < calls.size(); i++) {
                        if (!readOne(lent, i)) return false;
                    }
                    if (!isPoliced && lent.wasKept()) {
                        points.learn(transaction, lent, calls.getLast().sql());
                    }
                    return true;
                });
            } catch (SqliteException e) {
                cancellation.check(); // What an interrupted statement says is a consequence.
                throw e;
            } finally {
                cancellation.end();
            }
        }

        private boolean allReadonly(CallerConnection lent) {
            for (int i = 0; i < calls.size(); i++) {
                String sql = calls.get(i).sql();
                Optional<SqliteStatement> statement = at(i, () -> prepareRead(lent, sql));
                if (statement.isEmpty()) return false;
                lent.release(sql, statement.get());
            }
            return true;
        }

        private boolean readOne(CallerConnection lent, int index) {
            return at(index, () -> {
                StatementCall call = calls.get(index);
                Optional<SqliteStatement> statement = prepareRead(lent, call.sql());
                if (statement.isEmpty()) return false;
                try {
                    Parameters.bind(statement.get(), call);
                    answers.end(rows.run(lent, statement.get(), observed(call)));
                    return true;
                } finally {
                    lent.release(call.sql(), statement.get());
                }
            });
        }

        /// Empty for a statement that writes.
        private Optional<SqliteStatement> prepareRead(CallerConnection lent, String sql) {
            SqliteStatement statement;
            try {
                statement = prepare(lent, sql, isPoliced);
            } catch (SqliteException e) {
                // A view in the table's place cannot be written to here, which SQLite says as a mistake.
                if (isPoliced && lent.policing().wantsToWrite(e)) return Optional.empty();
                throw e;
            }
            if (statement.isReadonly()) return Optional.of(statement);
            lent.release(sql, statement);
            return Optional.empty();
        }

        void write() {
            try (MemoryBudget.Reservation reservation = memory.reserve("The answer of a request that writes")) {
                Collected collected = store.writeForCaller(config.writeLimit(), config.maxWriteBytes(), transaction -> {
                    // The store may run this twice; what the first run collected is dropped.
                    reservation.giveBack();
                    Collected answer = new Collected(reservation);
                    CallerConnection lent = connection(transaction.connection());
                    long usedBefore = caller.isAdmin() ? 0 : usedBytes(transaction);
                    // The number of a row that somebody else inserted is none of this caller's business.
                    if (isPoliced) transaction.connection().lastInsertRowid(0);
                    lent.as(caller, isPoliced, () -> {
                        for (int i = 0; i < calls.size(); i++) {
                            if (isPoliced) writePoliced(lent, i, answer);
                            else writeOne(transaction, lent, i, answer);
                        }
                        return true;
                    });
                    if (!caller.isAdmin()) checkSize(usedBefore, usedBytes(transaction));
                    return answer;
                });
                answers.committed();
                for (int i = 0; i < calls.size(); i++) {
                    Meta meta = collected.replay(i, observed(calls.get(i)));
                    answers.end(meta);
                }
            }
        }

        /// Pages that hold something; what a deletion freed is used again before the file grows.
        private long usedBytes(Transaction transaction) {
            SqliteStatement pages = transaction.statement("""
                    SELECT (c.page_count - f.freelist_count) * s.page_size
                    FROM pragma_page_count AS c, pragma_freelist_count AS f, pragma_page_size AS s""");
            pages.step();
            long bytes = pages.intAt(0);
            pages.reset();
            return bytes;
        }

        private void checkSize(long before, long after) {
            if (after <= config.maxDatabaseBytes() || after <= before) return;
            throw Fault.TOO_LARGE.saying(
                    "The database has more than %d bytes (query.maxDatabaseBytes): delete rows first, or ask an admin."
                            .formatted(config.maxDatabaseBytes()));
        }

        private void writePoliced(CallerConnection lent, int index, Collected answer) {
            at(index, () -> {
                StatementCall call = calls.get(index);
                RowSink limited = new LimitedRows(answer, config.maxRows());
                answer.end(new PolicedStatement(lent, rows).run(call, limited));
                lent.checkMade();
                return true;
            });
        }

        private void writeOne(Transaction transaction, CallerConnection lent, int index, Collected answer) {
            at(index, () -> {
                StatementCall call = calls.get(index);
                SqliteStatement statement = prepare(lent, call.sql(), false);
                try {
                    Parameters.bind(statement, call);
                    NewNames names = NewNames.before(transaction, lent, store.observer());
                    // The limit holds before the commit, so that nothing was written when it is said to be passed.
                    RowSink limited = new LimitedRows(answer, config.maxRows());
                    answer.end(rows.run(lent, statement, limited));
                    names.refuse(transaction, lent);
                    lent.checkMade();
                    return true;
                } finally {
                    lent.release(call.sql(), statement);
                }
            });
        }

        void external() {
            if (isPoliced) {
                throw Fault.FORBIDDEN.saying(
                        "The external database is for admins while row-level security is on: no policy can hold there.");
            }
            Source external = ExternalRun.required(source);
            ExternalRun run =
                    new ExternalRun(external, memory, config.maxRows(), answers, this::observed, cancellation);
            if (calls.size() > 1) run.transaction(calls);
            else if (wantsCache && cache.isPresent()) run.cached(calls.getFirst(), cache.get());
            else run.single(calls.getFirst());
        }

        /// The answers' sink behind the plugins' hooks and the limit on rows.
        private RowSink observed(StatementCall call) {
            return plugins.afterQuery(call, new LimitedRows(answers, config.maxRows()));
        }

        /// Names the statement that failed, where there are several.
        private <T> T at(int index, Supplier<T> work) {
            if (calls.size() == 1) return work.get();
            try {
                return work.get();
            } catch (PerigeeException e) {
                PerigeeException reason =
                        e instanceof SqliteException && e.getCause() instanceof PerigeeException refusal ? refusal : e;
                throw reason.fault()
                        .saying("Statement %d of %d: %s".formatted(index + 1, calls.size(), reason.getMessage()));
            }
        }
    }

    private static SqliteStatement prepare(CallerConnection lent, String sql, boolean isPoliced) {
        if (isPoliced) lent.policing().begin(sql, null);
        // Some pragmas answer from the schema the connection remembers, however old.
        if (SqlText.mentionsPragma(sql)) lent.lookAtSchema();
        SqliteStatement statement;
        try {
            statement = lent.prepare(sql);
        } catch (SqliteException e) {
            // A mistake may be one by an old schema only: SQLite counts columns, for one, without looking at the file.
            lent.lookAtSchema();
            statement = lent.prepare(sql);
        }
        requireOne(statement, sql);
        return statement;
    }

    /// @throws PerigeeException [Fault#INVALID_REQUEST] where a second statement follows
    static void requireOne(SqliteStatement statement, String sql) {
        if (SqlText.isBlank(statement.tail())) return;
        int second = sql.length() - statement.tail().length() + SqlText.firstToken(statement.tail());
        statement.close();
        throw Fault.INVALID_REQUEST.saying(
                "\"sql\" is one statement, but a second one begins at character %d: send several as \"transaction\"."
                        .formatted(second + 1));
    }
}
