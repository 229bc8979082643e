package dev.perigee.serve;

import dev.perigee.plugin.JsonAnswer;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.QueryBody;
import dev.perigee.plugin.RouteTable;
import dev.perigee.query.QueryEngine;
import dev.perigee.query.external.MemoryBudget;
import dev.perigee.statement.Query;
import dev.perigee.statement.StatementCall.Where;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/// `POST /query` and `POST /query/raw`.
final class QueryEndpoints {
    private final QueryEngine engine;
    private final long maxBodyBytes;
    private final Semaphore largeAnswers;

    /// @param largeAnswers permits for answers that are sent while their rows are read; each of these answers holds one
    ///     of the store's readers
    QueryEndpoints(QueryEngine engine, long maxBodyBytes, Semaphore largeAnswers) {
        this.engine = engine;
        this.maxBodyBytes = maxBodyBytes;
        this.largeAnswers = largeAnswers;
    }

    void addTo(RouteTable<Endpoint> routes) {
        routes.add("POST", "/query", new Endpoint(Access.CLIENT, exchange -> query(exchange, false)));
        routes.add("POST", "/query/raw", new Endpoint(Access.CLIENT, exchange -> query(exchange, true)));
    }

    private void query(Exchange exchange, boolean isRaw) throws IOException {
        exchange.requireJson();
        Where where = Where.of(exchange.header("X-Starbase-Source"), exchange.query("source"));
        boolean isTransaction;
        Query query;
        AnswerStream out = new AnswerStream(exchange, largeAnswers);
        try (MemoryBudget.Reservation memory = engine.memory().reserve("The body")) {
            QueryBody.Parsed body = QueryBody.parse(
                    exchange.body(maxBodyBytes, memory),
                    engine.config().limits().maxTransactionStatements());
            isTransaction = body.isTransaction();
            boolean wantsCache = Query.wantsCache(exchange.header("X-Starbase-Cache"));
            query = new Query(body.statements(), where, isRaw, exchange.caller(), wantsCache, exchange.demand());
            exchange.status(200, "application/json");
            JsonAnswer answer = new JsonAnswer(out, out, isRaw, isTransaction);
            engine.run(query, answer, exchange.cancellation());
            answer.finish();
            out.finish();
        } finally {
            out.release();
        }
    }
}
