package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.run.RequestedRuns;
import dev.perigee.replication.run.TableRunner;
import dev.perigee.replication.run.Tables;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.SetAside;
import dev.perigee.replication.state.SetAsideRecords;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.ThreadFailures;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The REST API of rows that were set aside, for admins: lists them with the reason, and tries them again.
final class SetAsideRoutes {
    private static final String PATH = "/tables/:name/set-aside";

    private final PluginHost host;
    private final Tables tables;

    SetAsideRoutes(PluginHost host, Tables tables) {
        this.host = host;
        this.tables = tables;
    }

    void register() {
        host.route("GET", PATH, Access.ADMIN, this::list);
        host.route("POST", PATH + "/retry", Access.ADMIN, this::retry);
    }

    private Response list(Request request) {
        TableRunner runner = tables.require(request.pathParameter("name"));
        List<SetAside> rows = host.store()
                .read(
                        ReplicationTables.READ_LIMIT,
                        tx -> SetAsideRecords.list(tx, runner.name(), SetAsideRecords.MAX_ROWS));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("table", runner.name());
        answer.put("count", rows.size());
        answer.put("limit", SetAsideRecords.MAX_ROWS);
        answer.put("rows", rows);
        return Response.result(answer);
    }

    /// Marks the rows to be tried again now, and syncs the table, which fetches them. A sync that was already running
    /// may have passed that step. If rows are still marked after it, a second sync follows.
    private Response retry(Request request) {
        ReplicationRoutes.refuseBody(request);
        TableRunner runner = tables.require(request.pathParameter("name"));
        long before = host.store().write(tx -> {
            SetAsideRecords.retryNow(tx, runner.name());
            return SetAsideRecords.count(tx, runner.name(), false);
        });
        SyncResult result = await(
                runner,
                runner.sync()
                        .thenCompose(first -> isWanted(runner) && first.succeeded()
                                ? runner.sync()
                                : CompletableFuture.completedFuture(first)));
        long left =
                host.store().read(ReplicationTables.READ_LIMIT, tx -> SetAsideRecords.count(tx, runner.name(), false));
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", result.succeeded());
        answer.put("table", runner.name());
        answer.put("before", before);
        answer.put("setAside", left);
        result.error().ifPresent(error -> answer.put("error", error));
        return Response.result(answer);
    }

    private boolean isWanted(TableRunner runner) {
        return host.store().read(ReplicationTables.READ_LIMIT, tx -> SetAsideRecords.isRetryWanted(tx, runner.name()));
    }

    private static SyncResult await(TableRunner runner, CompletableFuture<SyncResult> sync) {
        try {
            return sync.get(RequestedRuns.WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw Fault.BUSY.in(
                    "table " + runner.name(),
                    "its sync is still running after %d s".formatted(RequestedRuns.WAIT_LIMIT.toSeconds()),
                    "The sync continues, and tries the rows at its end");
        } catch (ExecutionException e) {
            throw ThreadFailures.unwrapped(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.CLOSED.in(
                    "table " + runner.name(), "the wait for its sync was interrupted", "The sync continues", e);
        }
    }
}
