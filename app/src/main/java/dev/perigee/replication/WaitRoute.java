package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.FreshnessGate.Asked;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.freshness.TableFreshness;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.statement.FreshnessDemand;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// `POST /replication/wait`: waits until tables are as fresh as the body says, for scripts.
final class WaitRoute {
    private static final Duration DEFAULT_LIMIT = Duration.ofSeconds(30);

    private final Tables tables;
    private final CopyGate gate;

    WaitRoute(Tables tables, CopyGate gate) {
        this.tables = tables;
        this.gate = gate;
    }

    void register(PluginHost host) {
        host.route("POST", "/wait", Access.ADMIN, this::await);
    }

    private Response await(Request request) {
        JsonNode body = request.json();
        FreshnessDemand demand = FreshnessDemand.of(new FreshnessDemand.Words(
                text(body, "maxStaleness"),
                text(body, "after"),
                Optional.empty(),
                text(body, "timeout"),
                Optional.empty()));
        if (!demand.isAny()) {
            throw Fault.INVALID_REQUEST.saying("Name what to wait for: \"after\", \"maxStaleness\" or both.");
        }
        List<TableRunner> wanted = wanted(body);
        gate.await(
                new Asked(demand, System.nanoTime()),
                wanted,
                demand.patience().orElse(DEFAULT_LIMIT),
                request.cancellation());
        return Response.result(Map.of(
                "success", true, "tables", wanted.stream().map(this::view).toList()));
    }

    /// The tables that the body names; all that are not paused if it names none.
    private List<TableRunner> wanted(JsonNode body) {
        JsonNode names = body.path("tables");
        if (names.isMissingNode()) {
            return tables.all().stream().filter(table -> !table.isPaused()).toList();
        }
        if (!names.isArray()) throw Fault.INVALID_REQUEST.saying("\"tables\" must be an array of names.");
        List<TableRunner> wanted = new ArrayList<>();
        for (JsonNode name : names) wanted.add(tables.require(name.asString("")));
        return wanted;
    }

    private Map<String, Object> view(TableRunner table) {
        Map<String, Object> view = new LinkedHashMap<>();
        view.put("table", table.name());
        Optional<TableFreshness> has =
                tables.freshness().at(table.name(), tables.freshness().now());
        has.map(TableFreshness::position).ifPresent(position -> view.put("position", position));
        has.map(TableFreshness::time).ifPresent(time -> view.put("asOf", time));
        has.map(TableFreshness::guarantee).ifPresent(guarantee -> view.put("guarantee", guarantee));
        return view;
    }

    private static Optional<String> text(JsonNode body, String name) {
        JsonNode value = body.path(name);
        if (value.isMissingNode() || value.isNull()) return Optional.empty();
        if (!value.isString()) throw Fault.INVALID_REQUEST.saying("\"%s\" must be a text.".formatted(name));
        return Optional.of(value.stringValue());
    }
}
