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

/// What somebody asked for and did not wait for to the end. Each caller gets an id, and with it the answer of the run
/// that was asked for: what the replica remembers of a table may be of an earlier run, or of a later one.
///
/// Ids are random and known to this process only, so a restart never gives one caller the answer of another. Safe for
/// many threads.
public final class RequestedRuns {
    /// Longest wait of a request; what runs longer continues, and the answer has its id.
    public static final Duration WAIT_LIMIT = Duration.ofSeconds(45);

    /// Answers kept at most; the oldest that have ended are forgotten first.
    static final int KEPT = 1000;

    /// @param answer completes with the fields of the answer, as a caller who waits gets them
    /// @param meanwhile the fields while it runs
    private record Asked(CompletableFuture<Map<String, Object>> answer, Supplier<Map<String, Object>> meanwhile) {}

    private final Map<String, Asked> asked = new LinkedHashMap<>();

    public void register(PluginHost host) {
        host.route("GET", "/requests/:request", Access.ADMIN, this::look);
    }

    /// The answer of a run that has just been started for this request: whole where the caller waits and it ends within
    /// [#WAIT_LIMIT], else what is known meanwhile, and the id to ask for the rest with.
    ///
    /// @param answer completes with the fields of the answer; what it fails of is thrown
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

    /// A parameter of the URL's query that is true, false, or a name without a value, which is true.
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
                    "there is none with this id: Perigee was started again since, or %d others came after it"
                            .formatted(KEPT),
                    "What it had done stays",
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

    /// What `running` comes to, where that is within [#WAIT_LIMIT]; empty where it continues.
    ///
    /// @throws dev.perigee.fault.PerigeeException what it failed of
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
