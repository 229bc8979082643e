package dev.perigee.bundled.rest;

import dev.perigee.bundled.rest.RestWritten.Shape;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.JsonAnswer;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.Response.StatementBody;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.AnswerSink;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.FreshnessDemand.IfStale;
import dev.perigee.statement.FreshnessToken;
import dev.perigee.statement.Query;
import dev.perigee.statement.SqlStatement;
import dev.perigee.statement.StaleException;
import dev.perigee.statement.StatementCall.Where;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// `/rest/[schema/]table[/id]`: reads, creates, changes, replaces and deletes rows, with the caller's rights.
public final class RestPlugin extends StarbasePlugin {
    private static final String OWN_PREFIX = "tmp_";

    private static final String NOT_OPENED = "the plugin is not registered";

    private @Nullable Queries queries;
    private @Nullable RestCatalog catalog;

    public RestPlugin() {
        super("starbasedb:rest", true, "/rest");
    }

    @Override
    public void register(PluginHost host) {
        queries = host.queries();
        catalog = new RestCatalog(host.store(), host.source());
        for (String path : List.of("/:first", "/:first/:second", "/:first/:second/:third")) {
            host.route("GET", path, Access.CLIENT, this::read);
            host.route("PATCH", path, Access.CLIENT, request -> change(request, false));
            host.route("PUT", path, Access.CLIENT, request -> change(request, true));
            host.route("DELETE", path, Access.CLIENT, this::delete);
        }
        for (String path : List.of("/:first", "/:first/:second")) {
            host.route("POST", path, Access.CLIENT, this::create);
        }
    }

    /// A table and what follows it in the path.
    private record Place(RestTable table, Optional<String> id) {}

    /// `/a/b` is the table `b` of the schema `a` where there is one, else the row `b` of the table `a`.
    private Place place(Request request) {
        return place(request, Where.of(request.header("X-Starbase-Source"), request.query("source")));
    }

    private Place place(Request request, Where where) {
        Map<String, String> named = request.pathParameters();
        List<String> parts = List.of("first", "second", "third").stream()
                .filter(named::containsKey)
                .map(request::pathParameter)
                .toList();
        if (parts.size() > 1) {
            Optional<RestTable> inSchema = catalog().find(where, Optional.of(parts.get(0)), parts.get(1));
            if (inSchema.isPresent()) {
                return placed(request, inSchema.get(), parts.size() > 2 ? Optional.of(parts.get(2)) : Optional.empty());
            }
        }
        if (parts.size() < 3) {
            Optional<RestTable> table = catalog().find(where, Optional.empty(), parts.get(0));
            if (table.isPresent()) {
                return placed(request, table.get(), parts.size() > 1 ? Optional.of(parts.get(1)) : Optional.empty());
            }
        }
        throw Fault.NOT_FOUND.saying("There is no table \"%s\"."
                .formatted(String.join(".", parts.subList(0, Math.min(2, parts.size())))));
    }

    /// Refuses clients access to Perigee's own tables. The engine would refuse the statement, too, but an error about
    /// the query string would come first and list the table's columns.
    private static Place placed(Request request, RestTable table, Optional<String> id) {
        boolean isOwn = !table.isExternal() && table.name().regionMatches(true, 0, OWN_PREFIX, 0, OWN_PREFIX.length());
        if (isOwn && !request.caller().isAdmin()) {
            throw Fault.FORBIDDEN.saying("The table \"%s\" is for admins only.".formatted(table.name()));
        }
        return new Place(table, id);
    }

    private Response read(Request request) {
        Place place = place(request);
        FreshnessDemand demand = request.demand();
        if (!place.table().isExternal()) request.cacheable();
        if (demand.ifStale() != IfStale.SOURCE) return read(request, place, demand);
        Response here = read(request, place, demand.with(IfStale.FAIL));
        StatementBody body = (StatementBody) here.body();
        return Response.statement(200, (out, events) -> {
            try {
                body.writeTo(out, events);
            } catch (StaleException _) {
                // The statement is written in the source's words, so it is made again.
                Response there = read(request, place(request, Where.EXTERNAL), FreshnessDemand.NONE);
                ((StatementBody) there.body()).writeTo(out, events);
            }
        });
    }

    private Response read(Request request, Place place, FreshnessDemand demand) {
        RestTable table = place.table();
        Map<String, List<String>> parameters = parameters(request);
        SqlStatement select = place.id().isPresent()
                ? RestRead.one(table, place.id().get(), parameters)
                : new RestRead(table, parameters).statement();
        boolean wantsCache = Query.wantsCache(request.header("X-Starbase-Cache"));
        return Response.statement(200, (out, events) -> {
            CountedRows answer = new CountedRows(new JsonAnswer(out, events, false, false));
            AnswerSink shown = new ShownRows(table, answer);
            Query query = new Query(List.of(select), table.where(), false, request.caller(), wantsCache, demand);
            queries().run(query, shown, request.cancellation());
            if (place.id().isPresent() && answer.rowCount() == 0) throw noRow(table);
            answer.finish();
        });
    }

    private Response create(Request request) {
        Place place = place(request);
        if (place.id().isPresent()) {
            Response refused = Response.error(
                    405, "Method not allowed: POST creates rows in a table, send it to the table without an id.");
            return new Response(
                    refused.status(),
                    refused.contentType(),
                    Map.of("Allow", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
                    refused.body());
        }
        // A POST takes no parameters. One that is given was meant for something else, so it is not ignored.
        for (String name : parameters(request).keySet()) {
            throw Fault.INVALID_REQUEST.saying("A POST takes no parameter \"%s\".".formatted(name));
        }
        JsonNode body = exactJson(request);
        List<SqlStatement> inserts = new RestWrite(place.table()).insert(body);
        Shape shape = body.isArray() ? Shape.ARRAY : Shape.ONE_ROW;
        return written(request, place.table(), inserts, 201, "created", shape);
    }

    private Response change(Request request, boolean isWhole) {
        Place place = place(request);
        SqlStatement update =
                new RestWrite(place.table()).update(place.id(), parameters(request), exactJson(request), isWhole);
        return written(request, place.table(), List.of(update), 200, isWhole ? "replaced" : "updated", Shape.ONE_ROW);
    }

    private Response delete(Request request) {
        Place place = place(request);
        SqlStatement delete = new RestWrite(place.table()).delete(place.id(), parameters(request));
        return written(request, place.table(), List.of(delete), 200, "deleted", Shape.NO_DATA);
    }

    private Response written(
            Request request, RestTable table, List<SqlStatement> statements, int status, String done, Shape shape) {
        String message = "Resource %s successfully".formatted(done);
        return Response.statement(status, (out, events) -> {
            RestWritten answer = new RestWritten(out, events, message, shape);
            Query query = new Query(statements, table.where(), false, request.caller());
            queries().run(query, new ShownRows(table, answer), request.cancellation());
            if (!answer.finish()) throw noRow(table);
        });
    }

    /// The body with its numbers as they were written.
    private static JsonNode exactJson(Request request) {
        request.json(); // refuses a body that is not JSON, or is too large
        return BodyJson.read(request.body());
    }

    /// The query string without `source`, which is not about the table.
    private static Map<String, List<String>> parameters(Request request) {
        Map<String, List<String>> parameters = new LinkedHashMap<>(request.queryParameters());
        parameters.remove("source");
        return parameters;
    }

    private static PerigeeException noRow(RestTable table) {
        return Fault.NOT_FOUND.saying("The table \"%s\" has no such row.".formatted(table.name()));
    }

    /// Counts rows and passes them on.
    private static final class CountedRows implements AnswerSink {
        private final JsonAnswer next;
        private long rowCount;

        CountedRows(JsonAnswer next) {
            this.next = next;
        }

        @Override
        public void columns(List<String> names) {
            next.columns(names);
        }

        @Override
        public boolean row(List<Value> cells) {
            rowCount++;
            return next.row(cells);
        }

        @Override
        public void end(Meta meta) {
            next.end(meta);
        }

        @Override
        public void committed() {
            next.committed();
        }

        @Override
        public void fresh(AnswerFreshness freshness) {
            next.fresh(freshness);
        }

        @Override
        public void wrote(FreshnessToken token) {
            next.wrote(token);
        }

        long rowCount() {
            return rowCount;
        }

        void finish() {
            next.finish();
        }
    }

    private Queries queries() {
        if (queries == null) throw new IllegalStateException(NOT_OPENED);
        return queries;
    }

    private RestCatalog catalog() {
        if (catalog == null) throw new IllegalStateException(NOT_OPENED);
        return catalog;
    }
}
