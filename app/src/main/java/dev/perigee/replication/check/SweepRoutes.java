package dev.perigee.replication.check;

import dev.perigee.fault.Fault;
import dev.perigee.fault.Remedies;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.run.RequestedRuns;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;

/// The REST API of sweeps, for admins. Bodies and answers are explained in `docs/replication.md`.
public final class SweepRoutes {
    private final PluginHost host;
    private final Tables tables;
    private final CheckSchedule checks;
    private final Sweeps sweeps;
    private final RequestedRuns asked;

    public SweepRoutes(PluginHost host, Tables tables, CheckSchedule checks, Sweeps sweeps, RequestedRuns asked) {
        this.host = host;
        this.tables = tables;
        this.checks = checks;
        this.sweeps = sweeps;
        this.asked = asked;
    }

    public void register() {
        host.route("POST", "/tables/:name/sweep", Access.ADMIN, this::sweep);
        host.route("GET", "/tables/:name/sweep", Access.ADMIN, this::last);
    }

    private Response last(Request request) {
        TableRunner runner = swept(request);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("table", runner.name());
        answer.put("isRunning", checks.isRunning(runner.name()));
        checks.due(runner.name(), CheckSchedule.Kind.SWEEP).ifPresent(due -> answer.put("nextAt", due));
        sweeps.last(runner.name()).ifPresent(sweep -> answer.put("sweep", SweepStatus.of(sweep)));
        return Response.result(answer);
    }

    /// Starts a sweep. The answer has its result if it ends within the limit; otherwise it continues.
    private Response sweep(Request request) {
        TableRunner runner = swept(request);
        boolean isConfirmed = isConfirmed(request);
        RequestedRuns.flag(request, "wait", true); // refused before anything starts
        CompletableFuture<Sweep> sweep = checks.start(
                runner, CheckSchedule.Kind.SWEEP, cancellation -> sweeps.sweep(runner, isConfirmed, cancellation));
        return asked.answer(
                request,
                sweep.thenApply(ended -> answer(runner, ended.error().isEmpty(), "sweep", SweepStatus.of(ended))),
                () -> answer(runner, true, "started", true));
    }

    private static Map<String, Object> answer(TableRunner runner, boolean success, String field, Object value) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", success);
        answer.put("table", runner.name());
        answer.put(field, value);
        return answer;
    }

    private TableRunner swept(Request request) {
        TableRunner runner = tables.require(request.pathParameter("name"));
        if (sweeps.interval(runner.config()).isPresent()) return runner;
        throw Fault.INVALID_REQUEST.in(
                "table " + runner.name(),
                "its `deletes` is %s, expected sweep(interval)"
                        .formatted(runner.config().deletes().text()),
                "Nothing was deleted",
                "set it first: `perigee tables set %s --deletes 'sweep(10m)'`".formatted(Remedies.word(runner.name())));
    }

    private static boolean isConfirmed(Request request) {
        if (request.body().length == 0) return false;
        JsonNode body = request.json();
        boolean isRight = body.isObject()
                && (body.isEmpty() || body.size() == 1 && body.path("confirm").isBoolean());
        if (!isRight) {
            throw Fault.INVALID_REQUEST.in(
                    "the request", "the body: expected {\"confirm\": true} or nothing", "Nothing was deleted");
        }
        return body.path("confirm").asBoolean(false);
    }
}
