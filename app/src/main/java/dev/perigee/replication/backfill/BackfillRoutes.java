package dev.perigee.replication.backfill;

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
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// The REST API of backfills, for admins: begin, confirm, look at and cancel one. Bodies and answers are explained in
/// `docs/replication.md`.
public final class BackfillRoutes {
    private static final String PATH = "/tables/:name/backfill";

    private final PluginHost host;
    private final Tables tables;
    private final Backfills backfills;
    private final RequestedRuns asked;

    public BackfillRoutes(PluginHost host, Tables tables, Backfills backfills, RequestedRuns asked) {
        this.host = host;
        this.tables = tables;
        this.backfills = backfills;
        this.asked = asked;
    }

    public void register() {
        host.route("POST", PATH, Access.ADMIN, this::begin);
        host.route("GET", PATH, Access.ADMIN, this::look);
        host.route("DELETE", PATH, Access.ADMIN, this::cancel);
    }

    private Response begin(Request request) {
        TableRunner runner = named(request);
        JsonNode body = request.body().length == 0 ? JsonNodeFactory.instance.objectNode() : request.json();
        RequestedRuns.flag(request, "wait", true); // refused before anything starts
        boolean isConfirmation = body.isObject() && body.has("confirm");
        if (isConfirmation
                && (body.size() > 1
                        || !body.get("confirm").isBoolean()
                        || !body.get("confirm").booleanValue())) {
            throw BackfillScope.invalid("`confirm`: expected true, and nothing else");
        }
        Backfills.Started started = isConfirmation ? backfills.confirm(runner) : backfills.begin(runner, body);
        return asked.answer(
                request,
                started.result()
                        .thenApply(ended ->
                                answer(runner, Optional.of(ended), ended.state().equals("done"))),
                () -> answer(runner, backfills.current(runner.name()).filter(now -> now.run() == started.run()), true));
    }

    private Response look(Request request) {
        TableRunner runner = named(request);
        return Response.result(answer(runner, backfills.current(runner.name()), true));
    }

    private Response cancel(Request request) {
        TableRunner runner = named(request);
        BackfillStatus status = backfills
                .cancel(runner)
                .orElseThrow(() -> Fault.NOT_FOUND.in(
                        "table " + runner.name(),
                        "no backfill of it is under way",
                        "Nothing was changed",
                        "begin one with `perigee tables backfill %s`".formatted(Remedies.word(runner.name()))));
        return Response.result(answer(runner, Optional.of(status), true));
    }

    private TableRunner named(Request request) {
        return tables.require(request.pathParameter("name"));
    }

    private static Map<String, Object> answer(TableRunner runner, Optional<BackfillStatus> status, boolean success) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", success);
        answer.put("table", runner.name());
        status.ifPresent(now -> answer.put("backfill", now));
        return answer;
    }
}
