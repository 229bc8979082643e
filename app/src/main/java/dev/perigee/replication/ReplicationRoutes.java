package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.check.CheckSchedule;
import dev.perigee.replication.check.Verifications;
import dev.perigee.replication.copy.RowCounts;
import dev.perigee.replication.run.RequestedRuns;
import dev.perigee.replication.run.TableFields;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.RunRecords;
import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.ThreadFailures;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import tools.jackson.databind.JsonNode;

/// The REST API of replication, for admins. Bodies and answers are explained in `docs/replication.md`.
final class ReplicationRoutes {
    /// Runs that `GET /replication/runs` answers if the request does not say how many.
    static final int DEFAULT_RUNS = 50;
    static final int MAX_RUNS = 1000;

    private final PluginHost host;
    private final Tables tables;
    private final CheckSchedule checks;
    private final Verifications verifications;
    private final TableStatuses statuses;
    private final RequestedRuns asked;

    ReplicationRoutes(
            PluginHost host,
            Tables tables,
            CheckSchedule checks,
            Verifications verifications,
            TableStatuses statuses,
            RequestedRuns asked) {
        this.host = host;
        this.tables = tables;
        this.checks = checks;
        this.verifications = verifications;
        this.statuses = statuses;
        this.asked = asked;
    }

    void register() {
        route("POST", "/tables", this::configure);
        route("GET", "/tables", _ -> Response.result(Map.of("tables", configured())));
        route("GET", "/tables/:name", request -> Response.result(TableFields.json(named(request))));
        route("PATCH", "/tables/:name", this::change);
        route("DELETE", "/tables/:name", this::remove);
        route("POST", "/tables/:name/resync", this::resync);
        route("POST", "/tables/:name/recover", this::recover);
        new SetAsideRoutes(host, tables).register();
        route("GET", "/status", _ -> Response.result(allStatuses()));
        route("GET", "/status/:name", request -> Response.result(statuses.of(named(request))));
        route("POST", "/sync", this::sync);
        host.route("POST", "/ping", Access.CLIENT, this::ping);
        route("GET", "/runs", this::runs);
    }

    private void route(String method, String path, PluginHost.RouteHandler handler) {
        host.route(method, path, Access.ADMIN, handler);
    }

    private Response configure(Request request) {
        boolean isAdopting = RequestedRuns.flag(request, "adopt", false);
        List<TableConfig> configs =
                TableFields.tables(request.json(), name -> tables.find(name).map(TableRunner::config));
        List<Map<String, Object>> done = tables.configure(configs, isAdopting).stream()
                .map(TableFields::json)
                .toList();
        return Response.result(answer("success", true, "count", done.size(), "tables", done));
    }

    private Response change(Request request) {
        TableRunner runner = named(request);
        return Response.result(TableFields.json(tables.change(runner, request.json())));
    }

    private Response remove(Request request) {
        TableRunner runner = named(request);
        boolean isDropped = RequestedRuns.flag(request, "drop", false);
        tables.remove(runner, isDropped);
        Map<String, Object> answer = answer("success", true, "table", runner.name(), "dropped", isDropped);
        tables.whyNextStartHas(runner.name()).ifPresent(why -> answer.put("note", why));
        return Response.result(answer);
    }

    private Response sync(Request request) {
        List<TableRunner> wanted = request.body().length == 0
                ? tables.all().stream().filter(runner -> !runner.isPaused()).toList()
                : wanted(request.json());
        RequestedRuns.flag(request, "wait", true); // refused before anything starts
        Map<TableRunner, CompletableFuture<SyncResult>> running = new LinkedHashMap<>();
        wanted.forEach(runner -> running.put(runner, runner.sync()));
        return answered(request, running);
    }

    /// Has tables looked at soon, without waiting for it. Clients may: it tells nothing, and pings that come together
    /// cost the source one look.
    private Response ping(Request request) {
        List<TableRunner> wanted = request.body().length == 0
                ? tables.all().stream().filter(runner -> !runner.isPaused()).toList()
                : wanted(request.json());
        tables.due().hasten(wanted);
        return Response.result(answer("success", true));
    }

    private Response resync(Request request) {
        refuseBody(request);
        TableRunner runner = named(request);
        RequestedRuns.flag(request, "wait", true); // refused before anything starts
        return answered(request, Map.of(runner, tables.fetchedAgain(runner)));
    }

    private Response recover(Request request) {
        refuseBody(request);
        TableRunner runner = named(request);
        RequestedRuns.flag(request, "wait", true); // refused before anything starts
        return answered(request, Map.of(runner, verifications.recover(checks, runner)));
    }

    private Response runs(Request request) {
        Optional<String> table =
                request.query("table").map(name -> tables.require(name).name());
        int limit = limit(request);
        List<RunView> runs =
                host.store().read(ReplicationTables.READ_LIMIT, tx -> RunRecords.last(tx, table, limit)).stream()
                        .map(run -> RunView.of(run, host.clock().instant()))
                        .toList();
        return Response.result(Map.of("runs", runs));
    }

    private List<Map<String, Object>> configured() {
        return tables.all().stream().map(TableFields::json).toList();
    }

    private Map<String, Object> allStatuses() {
        Map<String, Object> all = answer("tables", statuses.all());
        tables.sourceTrouble().now().ifPresent(trouble -> all.put("source", trouble));
        return all;
    }

    private TableRunner named(Request request) {
        return tables.require(request.pathParameter("name"));
    }

    private List<TableRunner> wanted(JsonNode body) {
        if (!body.isObject() || body.propertyNames().stream().anyMatch(field -> !field.equals("tables"))) {
            throw invalid("the body: expected {\"tables\": [names]} or nothing");
        }
        if (!body.has("tables")) {
            return tables.all().stream().filter(runner -> !runner.isPaused()).toList();
        }
        List<TableRunner> wanted = new ArrayList<>();
        JsonNode names = body.get("tables");
        if (!names.isArray() || names.size() > Tables.MAX_TABLES) throw invalid("`tables`: expected an array of names");
        for (JsonNode name : names) {
            if (!name.isString()) throw invalid("`tables`: expected an array of names");
            TableRunner runner = tables.require(name.stringValue());
            if (!wanted.contains(runner)) wanted.add(runner);
        }
        return wanted;
    }

    /// Answers with the results of these runs. Runs that are not awaited, or still continue after the limit, are named
    /// under `started`.
    private Response answered(Request request, Map<TableRunner, CompletableFuture<SyncResult>> running) {
        Map<String, CompletableFuture<SyncResult>> settled = new LinkedHashMap<>();
        running.forEach((runner, future) -> settled.put(runner.name(), settled(runner, future)));
        CompletableFuture<Map<String, Object>> all = CompletableFuture.allOf(
                        settled.values().toArray(CompletableFuture[]::new))
                .thenApply(_ -> results(settled));
        return asked.answer(request, all, () -> {
            Map<String, Object> answer = results(settled);
            Map<String, Progress> progress = new LinkedHashMap<>();
            running.forEach((runner, future) -> {
                if (future.isDone()) return;
                runner.progress()
                        .or(() -> verifications.progress(runner.name()))
                        .ifPresent(now -> progress.put(runner.name(), now));
            });
            if (!progress.isEmpty()) answer.put("progress", progress);
            return answer;
        });
    }

    private static Map<String, Object> results(Map<String, CompletableFuture<SyncResult>> settled) {
        List<SyncResult> results = new ArrayList<>();
        List<String> started = new ArrayList<>();
        settled.forEach((table, future) -> {
            if (future.isDone()) results.add(future.join());
            else started.add(table);
        });
        boolean success = results.stream().allMatch(SyncResult::succeeded);
        return started.isEmpty()
                ? answer("success", success, "results", results)
                : answer("success", success, "results", results, "started", started);
    }

    /// The same run, with an exception turned into a failed result of its table.
    private static CompletableFuture<SyncResult> settled(TableRunner runner, CompletableFuture<SyncResult> run) {
        return run.exceptionally(failure -> {
            Problem problem = Problem.of(ThreadFailures.unwrapped(failure));
            return SyncResult.of(runner.name(), RowCounts.NONE, 0, Optional.of(problem));
        });
    }

    private static int limit(Request request) {
        Optional<String> text = request.query("limit");
        if (text.isEmpty()) return DEFAULT_RUNS;
        try {
            int limit = Integer.parseInt(text.get());
            if (limit >= 1 && limit <= MAX_RUNS) return limit;
        } catch (NumberFormatException e) {
            // Refused below, like a number outside the range.
        }
        throw invalid("`limit`: expected a whole number from 1 to %d".formatted(MAX_RUNS));
    }

    /// Refuses a body in requests that take none: whoever sends one expects something else to happen.
    static void refuseBody(Request request) {
        if (request.body().length == 0) return;
        JsonNode body = request.json();
        if (!body.isObject() || !body.isEmpty()) throw invalid("the body: expected nothing, or {}");
    }

    private static RuntimeException invalid(String what) {
        return Fault.INVALID_REQUEST.in("the request", what, "Nothing was changed");
    }

    /// A JSON object with these members, in this order.
    ///
    /// @param namesAndValues names and values in turn
    private static Map<String, Object> answer(Object... namesAndValues) {
        Map<String, Object> answer = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            answer.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return answer;
    }
}
