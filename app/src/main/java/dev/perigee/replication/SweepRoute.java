package dev.perigee.replication;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.databind.JsonNode;

/// `POST /replication/tables/:name/sweep`: sweeps a table now, and waits for it for a while.
final class SweepRoute {
    private SweepRoute() {}

    static Response answer(Request request, TableRunner runner, Sweeps sweeps) {
        boolean isConfirmed = isConfirmed(request);
        boolean isAwaited =
                request.query("wait").filter(wait -> wait.equals("false")).isEmpty();
        CompletableFuture<Sweep> sweep = sweeps.sweep(runner, isConfirmed);
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("success", true);
        answer.put("table", runner.name());
        Optional<Sweep> ended = isAwaited ? ended(sweep) : Optional.empty();
        if (ended.isEmpty()) {
            answer.put("started", true);
        } else {
            answer.put("success", ended.get().error().isEmpty());
            answer.put("sweep", SweepStatus.of(ended.get()));
        }
        return Response.result(answer);
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

    private static Optional<Sweep> ended(CompletableFuture<Sweep> sweep) {
        try {
            return Optional.of(sweep.get(ReplicationRoutes.WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (ExecutionException e) {
            throw Failures.unwrapped(e);
        }
    }
}
