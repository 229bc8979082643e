package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.ProofTable.Entry;
import dev.perigee.replication.Verification.Order;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;

/// The REST API of verifications, for admins: `GET /proof`, `GET /proof/:name`, `POST /tables/:name/verify`.
final class ProofRoutes {
    private static final Set<String> FIELDS = Set.of("repair", "confirm");

    private final PluginHost host;
    private final Tables tables;
    private final Checks checks;
    private final Verifications verifications;

    ProofRoutes(PluginHost host, Tables tables, Checks checks, Verifications verifications) {
        this.host = host;
        this.tables = tables;
        this.checks = checks;
        this.verifications = verifications;
    }

    void register() {
        host.route("GET", "/proof", Access.ADMIN, _ -> Response.result(Map.of("tables", proofs())));
        host.route("GET", "/proof/:name", Access.ADMIN, request -> Response.result(proof(named(request))));
        host.route("POST", "/tables/:name/verify", Access.ADMIN, this::verify);
    }

    private List<ProofView> proofs() {
        Map<String, TableState> states = tables.states();
        Map<String, Entry> proofs = verifications.proofs();
        return tables.all().stream()
                .map(table -> view(
                        table.name(),
                        Optional.ofNullable(proofs.get(table.name())),
                        Optional.ofNullable(states.get(table.name()))))
                .toList();
    }

    private ProofView proof(TableRunner table) {
        // The progress first: a verification that ends in between is then shown by its proof.
        return view(
                table.name(),
                verifications.proof(table.name()),
                host.store().read(SyncPlan.READ_LIMIT, tx -> StateTable.find(tx, table.name())));
    }

    private ProofView view(String table, Optional<Entry> entry, Optional<TableState> state) {
        return ProofView.of(
                table,
                entry.map(Entry::last),
                ProofView.Verified.of(entry, state),
                checks.due(table, Checks.Kind.VERIFY),
                checks.isRunning(table),
                verifications.progress(table));
    }

    /// The answer has the proof where the verification ended within the limit; else it goes on.
    private Response verify(Request request) {
        TableRunner table = named(request);
        boolean isAwaited = ReplicationRoutes.flag(request, "wait", true);
        CompletableFuture<Proof> running = verifications.start(checks, table, order(request));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("table", table.name());
        Optional<Proof> ended = isAwaited ? ReplicationRoutes.within(running) : Optional.empty();
        if (ended.isPresent()) {
            answer.put("success", ended.get().verdict().isGood());
            answer.put("proof", proof(table));
        } else {
            answer.put("success", true);
            answer.put("started", true);
        }
        return Response.result(answer);
    }

    private TableRunner named(Request request) {
        return tables.require(request.pathParameter("name"));
    }

    private static Order order(Request request) {
        if (request.body().length == 0) return Order.PLAIN;
        JsonNode body = request.json();
        if (!body.isObject() || !FIELDS.containsAll(body.propertyNames())) {
            throw invalid("the body: expected {\"repair\": …, \"confirm\": …} or nothing");
        }
        body.properties().forEach(field -> {
            if (!field.getValue().isBoolean()) throw invalid("`%s`: expected true or false".formatted(field.getKey()));
        });
        return new Order(
                body.path("repair").asBoolean(false), body.path("confirm").asBoolean(false));
    }

    private static RuntimeException invalid(String what) {
        return Fault.INVALID_REQUEST.in("the request", what, "Nothing was changed");
    }
}
