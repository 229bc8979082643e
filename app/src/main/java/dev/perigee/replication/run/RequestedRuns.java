package dev.perigee.replication.run;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Response;
import dev.perigee.replication.sync.ThreadFailures;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// Runs (syncs, sweeps, verifications, backfills) that a request started and that still run after its answer. Each such
/// request gets an id. `GET /replication/requests/:request` answers that id with the result of this very run; the
/// status of the table may come from an earlier or a later one.
///
/// Ids are random and kept in memory only, so after a restart no caller gets the answer of another. Safe for many
/// threads.
public final class RequestedRuns {
    /// Longest wait of a request. A run that takes longer continues, and the answer has the id to ask for it with.
    public static final Duration WAIT_LIMIT = Duration.ofSeconds(45);

    /// Greatest number of runs remembered. The oldest that has ended is forgotten first, and if none has, the oldest.
    static final int KEPT = 1000;

    /// @param answer completes with the fields of the answer that a waiting caller gets
    /// @param meanwhile gives the fields of the answer while the run is under way
    private record Asked(CompletableFuture<Map<String, Object>> answer, Supplier<Map<String, Object>> meanwhile) {}

    private final Map<String, Asked> asked = new LinkedHashMap<>();

    public void register(PluginHost host) {
        host.route("GET", "/requests/:request", Access.ADMIN, this::look);
    }

    /// Answers a request for which a run has just been started. The answer is complete if the request waits (`wait`, by
    /// default true) and the run ends within [#WAIT_LIMIT]. Otherwise it has what is known so far, and the id to ask
    /// for the result with.
    ///
    /// @param answer completes with the fields of the answer; its failure is thrown here if it comes in time
    /// @param meanwhile gives the fields that are known before the run has ended
    public Response answer(
            Request request, CompletableFuture<Map<String, Object>> answer, Supplier<Map<String, Object>> meanwhile) {
        boolean isAwaited = flag(request, "wait", true);
        Optional<Map<String, Object>> ended = isAwaited ? within(answer) : Optional.empty();
        if (ended.isPresent()) return Response.result(ended.get());
        String id = UUID.randomUUID().toString();
        Asked run = new Asked(answer, meanwhile);
        synchronized (this) {
            asked.put(id, run);
            if (asked.size() > KEPT) forgetOne();
        }
        Map<String, Object> started = new LinkedHashMap<>(meanwhile.get());
        started.put("request", id);
        return Response.result(started);
    }

    /// Reads a boolean parameter of the URL's query: `true`, `false`, or the name without a value, which means true.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST]
    public static boolean flag(Request request, String name, boolean otherwise) {
        Optional<String> text = request.query(name);
        if (text.isEmpty()) return otherwise;
        return switch (text.get()) {
            case "true", "" -> true;
            case "false" -> false;
            default ->
                throw Fault.INVALID_REQUEST.in(
                        "the request", "`%s`: expected true or false".formatted(name), "Nothing was changed");
        };
    }

    private Response look(Request request) {
        String id = request.pathParameter("request");
        Asked run;
        synchronized (this) {
            run = asked.get(id);
        }
        if (run == null) {
            throw Fault.NOT_FOUND.in(
                    "the requests",
                    "there is no request with this id: Perigee was restarted since, or it was dropped because only %d requests are kept"
                            .formatted(KEPT),
                    "What the request's run did stays",
                    "see where the table stands with `perigee status`, or GET /replication/status");
        }
        boolean isAwaited = flag(request, "wait", false);
        boolean isOver = isAwaited || run.answer().isDone();
        Optional<Map<String, Object>> ended = isOver ? within(run.answer()) : Optional.empty();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("request", id);
        answer.put("running", ended.isEmpty());
        answer.putAll(ended.orElseGet(run.meanwhile()));
        return Response.result(answer);
    }

    private void forgetOne() {
        Iterator<Asked> all = asked.values().iterator();
        while (all.hasNext()) {
            if (!all.next().answer().isDone()) continue;
            all.remove();
            return;
        }
        Iterator<Asked> running = asked.values().iterator();
        running.next();
        running.remove();
    }

    /// Waits for `running` to complete, for [#WAIT_LIMIT] at most.
    ///
    /// @return empty if it has not completed by then, or if this thread was interrupted
    /// @throws dev.perigee.fault.PerigeeException if `running` failed
    private static <T> Optional<T> within(CompletableFuture<T> running) {
        try {
            return Optional.of(running.get(WAIT_LIMIT.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (ExecutionException e) {
            throw ThreadFailures.unwrapped(e);
        }
    }
}
