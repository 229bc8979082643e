package dev.perigee.replication.check;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.check.ProofRecords.Entry;
import dev.perigee.replication.check.Verification.Order;
import dev.perigee.replication.run.RequestedRuns;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// The REST API of verifications below `/replication`, for admins: `GET /proof`, `GET /proof/:name`,
/// `POST /tables/:name/verify`. Bodies and answers are explained in `docs/replication.md`.
public final class ProofRoutes {
    private static final Set<String> FIELDS = Set.of("repair", "confirm");

    private final PluginHost host;
    private final Tables tables;
    private final CheckSchedule checks;
    private final Verifications verifications;
    private final RequestedRuns asked;

    public ProofRoutes(
            PluginHost host, Tables tables, CheckSchedule checks, Verifications verifications, RequestedRuns asked) {
        this.host = host;
        this.tables = tables;
        this.checks = checks;
        this.verifications = verifications;
        this.asked = asked;
    }

    public void register() {
        host.route("GET", "/proof", Access.ADMIN, _ -> Response.result(Map.of("tables", proofs())));
        host.route("GET", "/proof/:name", Access.ADMIN, request -> Response.result(proof(named(request))));
        host.route("POST", "/tables/:name/verify", Access.ADMIN, this::verify);
    }

    private List<ProofView> proofs() {
        // Read before the proofs: a verification stores its proof before it stops counting as running.
        Set<String> running = tables.all().stream()
                .map(TableRunner::name)
                .filter(checks::isRunning)
                .collect(Collectors.toSet());
        Map<String, TableState> states = tables.states();
        Map<String, Entry> proofs = verifications.proofs();
        return tables.all().stream()
                .map(table -> view(
                        table.name(),
                        running.contains(table.name()),
                        Optional.ofNullable(proofs.get(table.name())),
                        Optional.ofNullable(states.get(table.name()))))
                .toList();
    }

    private ProofView proof(TableRunner table) {
        // Read first, as above. Otherwise the answer could say "not running" and show the proof before the last.
        boolean isRunning = checks.isRunning(table.name());
        return view(table.name(), isRunning, verifications.proof(table.name()), state(table));
    }

    private Optional<TableState> state(TableRunner table) {
        return host.store().read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, table.name()));
    }

    private ProofView view(String table, boolean isRunning, Optional<Entry> entry, Optional<TableState> state) {
        return ProofView.of(
                table,
                entry.map(Entry::last),
                ProofView.Verified.of(entry, state),
                new ProofView.Next(
                        due(table), isRunning, isRunning ? verifications.progress(table) : Optional.empty()));
    }

    private Optional<Instant> due(String table) {
        return checks.due(table, CheckSchedule.Kind.VERIFY);
    }

    /// Starts a verification. The answer has its proof if it ends within the limit; otherwise it continues.
    private Response verify(Request request) {
        TableRunner table = named(request);
        RequestedRuns.flag(request, "wait", true); // refused before anything starts
        CompletableFuture<Proof> running = verifications.start(checks, table, order(request));
        return asked.answer(request, running.thenApply(proof -> ended(table, proof)), () -> started(table));
    }

    private Map<String, Object> ended(TableRunner table, Proof proof) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("table", table.name());
        answer.put("success", proof.verdict().isGood());
        answer.put(
                "proof",
                ProofView.of(
                        table.name(),
                        Optional.of(proof),
                        ProofView.Verified.of(verifications.proof(table.name()), state(table)),
                        ProofView.Next.due(due(table.name()))));
        return answer;
    }

    private Map<String, Object> started(TableRunner table) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("table", table.name());
        answer.put("success", true);
        answer.put("started", true);
        verifications.progress(table.name()).ifPresent(progress -> answer.put("progress", progress));
        return answer;
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
