package dev.perigee.cli;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// Calls a running Perigee server over HTTP. An error of the server is thrown with the server's message.
final class ServerClient implements AutoCloseable {
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(10);

    /// Longest wait for an answer. The server ends a request itself before that.
    private static final Duration ANSWER_LIMIT = Duration.ofMinutes(10);

    /// Time between two requests for the progress of a run.
    private static final Duration LOOK_EVERY = Duration.ofMillis(200);

    /// Maximum number of bytes read of an error's body. Perigee's own are a sentence.
    private static final int MAX_ERROR_BYTES = 64 << 10;

    private final URI base;
    private final String token;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(CONNECT_LIMIT).build();

    ServerClient(URI base, String token) {
        this.base = base;
        this.token = token;
    }

    /// The path `prefix` with `name` as one more segment, percent-encoded.
    static String path(String prefix, String name) {
        return prefix + "/" + URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }

    JsonNode get(String path) {
        return result("GET", path, Optional.empty());
    }

    /// The `result` of an answer.
    ///
    /// @throws PerigeeException with the server's `error`
    JsonNode result(String method, String path, Optional<Object> body) {
        try (InputStream in = open(method, path, body, Map.of())) {
            return Json.MAPPER.readTree(in).path("result");
        } catch (JacksonException | IOException e) {
            throw brokenOff(e);
        }
    }

    /// Starts a run with `POST path` and waits until it has ended, however long it takes. It asks again and again,
    /// because a single request may wait only so long. The answer is that of this run, whatever else happens to the
    /// table meanwhile.
    JsonNode ran(String path, Optional<Object> body) {
        return ran(path, body, Optional.empty());
    }

    /// Like [#ran(String, Optional)], and tells `watcher` the progress several times a second.
    JsonNode ran(String path, Optional<Object> body, Consumer<JsonNode> watcher) {
        return ran(path, body, Optional.of(watcher));
    }

    private JsonNode ran(String path, Optional<Object> body, Optional<Consumer<JsonNode>> watcher) {
        JsonNode answer = result("POST", path + "?wait=false", body);
        String request = path("/replication/requests", answer.path("request").asString(""));
        do {
            if (watcher.isPresent()) {
                watcher.get().accept(answer);
                pause();
            }
            answer = get(request + "?wait=" + watcher.isEmpty());
        } while (answer.path("running").asBoolean(false));
        return answer;
    }

    private void pause() {
        try {
            Thread.sleep(LOOK_EVERY);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    private PerigeeException interrupted() {
        Thread.currentThread().interrupt();
        return Fault.CLOSED.saying("interrupted while waiting for " + base);
    }

    /// Sends a request and returns the body of a successful answer. The caller closes it.
    ///
    /// @throws PerigeeException with the server's `error` if it refuses the request
    InputStream open(String method, String path, Optional<Object> body, Map<String, String> headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(ANSWER_LIMIT)
                .header("Authorization", "Bearer " + token);
        headers.forEach(request::header);
        body.ifPresent(_ -> request.header("Content-Type", "application/json"));
        request.method(
                method,
                body.map(Json.MAPPER::writeValueAsBytes)
                        .map(BodyPublishers::ofByteArray)
                        .orElse(BodyPublishers.noBody()));
        try {
            HttpResponse<InputStream> response = http.send(request.build(), BodyHandlers.ofInputStream());
            if (response.statusCode() < 300) return response.body();
            try (InputStream in = response.body()) {
                throw refused(response.statusCode(), in.readNBytes(MAX_ERROR_BYTES));
            }
        } catch (ConnectException e) {
            throw Fault.CLOSED.saying(
                    "no server answers at %s; start one with `perigee serve`, or name it with --url".formatted(base));
        } catch (HttpTimeoutException e) {
            throw Fault.CLOSED.saying("the server at %s did not answer in time".formatted(base));
        } catch (IOException e) {
            throw brokenOff(e);
        } catch (InterruptedException e) {
            throw interrupted();
        }
    }

    /// What to throw if an answer broke off.
    PerigeeException brokenOff(Exception cause) {
        return Fault.CLOSED.in(
                "server " + base,
                "the answer broke off",
                "What was shown may not be all",
                "look into the server's log for why, then run the command again",
                cause);
    }

    private PerigeeException refused(int status, byte[] body) {
        String said;
        try {
            said = Json.MAPPER.readTree(body).path("error").asString("");
        } catch (JacksonException e) {
            said = "";
        }
        if (status == 401) {
            said = "the server at %s does not accept the token in %s".formatted(base, ServerOptions.ADMIN_TOKEN);
        }
        String text =
                said.isEmpty() ? "%s answers with status %d; is it a Perigee server?".formatted(base, status) : said;
        return fault(status).saying(text);
    }

    private static Fault fault(int status) {
        return switch (status) {
            case 400 -> Fault.INVALID_REQUEST;
            case 401 -> Fault.UNAUTHORIZED;
            case 403 -> Fault.FORBIDDEN;
            case 404 -> Fault.NOT_FOUND;
            case 409 -> Fault.CONFLICT;
            case 503 -> Fault.BUSY;
            default -> Fault.CLOSED;
        };
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
