package dev.perigee.bundled.socket;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.plugin.ErrorBody;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.JsonAnswer;
import dev.perigee.plugin.Queries;
import dev.perigee.plugin.QueryBody;
import dev.perigee.plugin.Request;
import dev.perigee.plugin.Socket;
import dev.perigee.statement.Caller;
import dev.perigee.statement.FreshnessDemand;
import dev.perigee.statement.Query;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers one client's frames. Frames with an `id` run in parallel and are answered as they finish. Frames without an
/// `id` run one after another, in order.
final class Conversation implements Socket.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(Conversation.class);

    /// What [JsonAnswer] writes before the result itself.
    private static final String BEFORE = "{\"result\":";

    private final Caller caller;
    private final Optional<String> header;
    private final Optional<String> query;
    private final Socket socket;
    private final Queries queries;
    private final AnswerBudget places;
    private final Set<RunningFrame> running;
    private final ServingThreads threads;
    private final Deque<Runnable> inOrder = new ArrayDeque<>();

    Conversation(
            Request request,
            Socket socket,
            Queries queries,
            AnswerBudget places,
            Set<RunningFrame> running,
            ServingThreads threads) {
        this.threads = threads;
        this.caller = request.caller();
        this.header = request.header("X-Starbase-Source");
        this.query = request.query("source");
        this.socket = socket;
        this.queries = queries;
        this.places = places;
        this.running = running;
    }

    @Override
    public void frame(String text, Runnable done) {
        Frame frame = Frame.of(text);
        Runnable work = threads.step("socket", () -> {
            try {
                socket.send(answer(frame));
            } finally {
                done.run();
            }
        });
        if (frame.id().isPresent()) {
            Thread.ofVirtual().name("perigee-socket").start(work);
            return;
        }
        synchronized (inOrder) {
            inOrder.add(work);
            if (inOrder.size() == 1) Thread.ofVirtual().name("perigee-socket").start(this::runInOrder);
        }
    }

    /// Runs the queued frames. Each stays in the queue until it is done, so that only one thread works on the queue.
    private void runInOrder() {
        while (true) {
            Runnable work;
            synchronized (inOrder) {
                work = inOrder.getFirst();
            }
            work.run();
            synchronized (inOrder) {
                inOrder.removeFirst();
                if (inOrder.isEmpty()) return;
            }
        }
    }

    private String answer(Frame frame) {
        if (frame.refusal().isPresent()) return error(frame, frame.refusal().get());
        RunningFrame run = RunningFrame.of(socket);
        running.add(run);
        try (AnswerBudget.Buffer buffer = places.buffer()) {
            QueryBody.Parsed body = frame.body().orElseThrow();
            Query asked = new Query(body.statements(), frame.where(header, query), frame.isRaw(), caller)
                    .with(frame.freshness().orElse(FreshnessDemand.NONE));
            FreshnessMembers members = new FreshnessMembers(frame.freshness().isPresent());
            JsonAnswer answer = new JsonAnswer(buffer, members, frame.isRaw(), body.isTransaction());
            queries.run(asked, answer, run.cancellation());
            answer.finish();
            return frame.id()
                    .map(id -> "{\"id\":" + id + "," + members.json() + buffer.text(1, 0))
                    .orElseGet(() -> buffer.text(BEFORE.length(), 1));
        } catch (PerigeeException e) {
            return error(frame, e);
        } catch (RuntimeException e) {
            LOG.error("A frame failed unexpectedly", e);
            return error(frame, Fault.INTERNAL.saying("Internal error; the server's log has its cause."));
        } finally {
            running.remove(run);
        }
    }

    private static String error(Frame frame, PerigeeException why) {
        String error = Json.MAPPER.writeValueAsString(ErrorBody.of(why));
        return frame.id().map(id -> "{\"id\":" + id + "," + error.substring(1)).orElse(error);
    }
}
