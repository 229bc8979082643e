package dev.perigee.serve;

import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Source;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// The state of the external database, for requests that ask for this server's status. The source is asked at most
/// every five seconds, by one thread at a time, and a request waits at most two seconds for it. So however many such
/// requests come, they neither flood the source nor hang on it.
final class SourceProbe {
    enum State {
        none,
        ok,
        failing,
        /// The source has not answered yet.
        unknown
    }

    private static final Duration KEPT = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /// The members that clients see. The source's address and its own error messages are for admins only.
    private static final Set<String> FOR_CLIENTS = Set.of("product", "fault");

    private record Finding(State state, Map<String, Object> description) {
        static Finding of(State state) {
            return new Finding(state, new LinkedHashMap<>());
        }

        /// Members keep the order in which they are named.
        Finding with(String name, String value) {
            description.put(name, value);
            return this;
        }
    }

    private final Optional<Source> source;
    private @Nullable CompletableFuture<Finding> asked;
    private long askedNanos;

    SourceProbe(Optional<Source> source) {
        this.source = source;
    }

    State state() {
        return finding().state();
    }

    /// For people and the dashboard: whether the source answers, which product it is, or with which fault it fails. For
    /// admins also where it is, its error and the remedy.
    Map<String, Object> describe(boolean isForAdmin) {
        Finding finding = finding();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("status", finding.state().name());
        finding.description().forEach((name, value) -> {
            if (isForAdmin || FOR_CLIENTS.contains(name)) answer.put(name, value);
        });
        return answer;
    }

    private Finding finding() {
        if (source.isEmpty()) return Finding.of(State.none);
        try {
            return question(source.get()).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException _) {
            return Finding.of(State.unknown);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Finding.of(State.unknown);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private synchronized CompletableFuture<Finding> question(Source source) {
        CompletableFuture<Finding> last = asked;
        boolean isFresh = System.nanoTime() - askedNanos < KEPT.toNanos();
        if (last != null && (!last.isDone() || isFresh)) return last;
        CompletableFuture<Finding> next = new CompletableFuture<>();
        Thread.ofVirtual().name("perigee-source-probe").start(() -> next.complete(ask(source)));
        asked = next;
        askedNanos = System.nanoTime();
        return next;
    }

    private static Finding ask(Source source) {
        try {
            Source.Info info = source.info();
            return Finding.of(State.ok).with("product", info.product()).with("place", info.place());
        } catch (PerigeeException e) {
            return Finding.of(State.failing)
                    .with("fault", e.fault().name())
                    .with("error", e.getMessage())
                    .with("remedy", e.remedy());
        } catch (RuntimeException | Error e) {
            return Finding.of(State.failing).with("error", e.toString());
        }
    }
}
