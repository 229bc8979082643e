package dev.perigee.bundled.rest;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.AnswerSink;
import dev.perigee.plugin.JsonAnswer;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.Query;
import dev.perigee.plugin.Query.Statement;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.plugin.StatementCall.Where;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// `/rest/[schema/]table[/id]`: reads, creates, changes, replaces and deletes rows, with the caller's rights.
public final class RestPlugin extends StarbasePlugin {
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
            host.route("POST", path, Access.CLIENT, this::create);
        }
    }

    /// A table and what follows it in the path.
    private record Place(RestTable table, Optional<String> id) {}

    /// `/a/b` is the table `b` of the schema `a` where there is one, else the row `b` of the table `a`.
    private Place place(Request request) {
        Where where = where(request);
        Map<String, String> named = request.pathParameters();
        List<String> parts = List.of("first", "second", "third").stream()
                .filter(named::containsKey)
                .map(request::pathParameter)
                .toList();
        if (parts.size() > 1) {
            Optional<RestTable> inSchema = catalog().find(where, Optional.of(parts.get(0)), parts.get(1));
            if (inSchema.isPresent()) {
                return new Place(inSchema.get(), parts.size() > 2 ? Optional.of(parts.get(2)) : Optional.empty());
            }
        }
        if (parts.size() < 3) {
            Optional<RestTable> table = catalog().find(where, Optional.empty(), parts.get(0));
            if (table.isPresent()) {
                return new Place(table.get(), parts.size() > 1 ? Optional.of(parts.get(1)) : Optional.empty());
            }
        }
        throw Fault.NOT_FOUND.saying("There is no table \"%s\"."
                .formatted(String.join(".", parts.subList(0, Math.min(2, parts.size())))));
    }

    private static Where where(Request request) {
        String text = request.header("X-Starbase-Source")
                .or(() -> request.query("source"))
                .orElse("internal");
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "internal", "" -> Where.INTERNAL;
            case "external", "hyperdrive" -> Where.EXTERNAL;
            default ->
                throw Fault.INVALID_REQUEST.saying("X-Starbase-Source must be internal, external or hyperdrive.");
        };
    }

    private Response read(Request request) {
        Place place = place(request);
        Map<String, List<String>> parameters = parameters(request, place.table());
        RestStatements statements = new RestStatements(place.table());
        if (place.id().isPresent()) {
            Statement select = statements.selectOne(place.id().get(), parameters);
            RestRows rows = new RestRows();
            run(request, place.table(), List.of(select), rows);
            if (rows.rows().isEmpty()) throw noRow(place);
            return Response.result(rows.rows());
        }
        Statement select = statements.select(parameters);
        Query query = new Query(List.of(select), place.table().where(), false, request.caller());
        return Response.stream(200, "application/json", out -> {
            JsonAnswer answer = new JsonAnswer(out, () -> {}, false, false);
            queries().run(query, answer, request.cancellation());
            answer.finish();
        });
    }

    private Response create(Request request) {
        Place place = place(request);
        if (place.id().isPresent()) {
            throw Fault.METHOD_NOT_ALLOWED.saying("POST creates rows in a table: send it to the table, without an id.");
        }
        RestStatements.Insert insert = new RestStatements(place.table()).insert(request.json());
        RestRows rows = new RestRows();
        run(request, place.table(), insert.statements(), rows);
        return Response.result(
                201,
                message("created", insert.isArray() ? rows.rows() : rows.rows().getFirst()));
    }

    private Response change(Request request, boolean isWhole) {
        Place place = place(request);
        Statement update = new RestStatements(place.table())
                .update(place.id(), parameters(request, place.table()), request.json(), isWhole);
        RestRows rows = new RestRows();
        run(request, place.table(), List.of(update), rows);
        if (rows.rows().isEmpty()) throw noRow(place);
        return Response.result(
                message(isWhole ? "replaced" : "updated", rows.rows().getFirst()));
    }

    private Response delete(Request request) {
        Place place = place(request);
        Statement delete = new RestStatements(place.table()).delete(place.id(), parameters(request, place.table()));
        RestRows rows = new RestRows();
        run(request, place.table(), List.of(delete), rows);
        if (rows.rows().isEmpty()) throw noRow(place);
        return Response.result(Map.of("message", "Resource deleted successfully"));
    }

    private static Map<String, Object> message(String done, Object data) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("message", "Resource %s successfully".formatted(done));
        answer.put("data", data);
        return answer;
    }

    /// The query string without what is not about the table.
    private static Map<String, List<String>> parameters(Request request, RestTable table) {
        Map<String, List<String>> parameters = new LinkedHashMap<>(request.queryParameters());
        if (table.find("source").isEmpty()) parameters.remove("source");
        return parameters;
    }

    private void run(Request request, RestTable table, List<Statement> statements, AnswerSink answers) {
        queries().run(new Query(statements, table.where(), false, request.caller()), answers, request.cancellation());
    }

    private static PerigeeException noRow(Place place) {
        return Fault.NOT_FOUND.saying(
                "The table \"%s\" has no such row.".formatted(place.table().name()));
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
