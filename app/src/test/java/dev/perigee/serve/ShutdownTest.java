package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.ServeConfig;
import dev.perigee.plugin.PluginHost;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.plugin.Response;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.ConnectException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a server that stops still does.
class ShutdownTest {
    @TempDir
    Path directory;

    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch mayEnd = new CountDownLatch(1);

    /// A route that takes as long as the test wants.
    private Setup setup(Duration grace) {
        return Setup.standard()
                .serve(c -> c.with(new ServeConfig.Limits(1000, 64, Duration.ofSeconds(60), grace)))
                .plugins(new StarbasePlugin("slow", true, "/slow") {
                    @Override
                    public void register(PluginHost host) {
                        host.route("GET", "", Access.CLIENT, _ -> {
                            begun.countDown();
                            await(mayEnd);
                            return Response.result("finished");
                        });
                    }
                });
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void requests_under_way_finish_and_new_ones_are_refused() throws Exception {
        ServedStore served = new ServedStore(directory, setup(Duration.ofSeconds(30)));
        try (RawHttp kept = new RawHttp(served.server.port());
                RawHttp other = new RawHttp(served.server.port())) {
            // Accepted before the server stops to accept: a kept connection asks once.
            assertThat(other.send("OPTIONS / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                            .head())
                    .startsWith("HTTP/1.1 204");
            String ready = "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";
            assertThat(kept.send(ready).head()).startsWith("HTTP/1.1 200");
            kept.socket.getInputStream().readNBytes(kept.socket.getInputStream().available());
            HttpRequest slow = served.request("/slow", CLIENT).build();
            CompletableFuture<HttpResponse<String>> answer = served.http.sendAsync(slow, BodyHandlers.ofString());
            await(begun);
            int port = served.server.port();
            Thread closing = Thread.startVirtualThread(served.server::close);
            Awaitility.await().until(() -> {
                try (Socket _ = new Socket("127.0.0.1", port)) {
                    return false;
                } catch (ConnectException _) {
                    return true;
                }
            });
            // A connection that was open already hears of it.
            assertThat(kept.send(ready).head()).startsWith("HTTP/1.1 503").contains("Retry-After");
            assertThat(other.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                            .head())
                    .startsWith("HTTP/1.1 503");
            assertThat(answer).isNotDone();
            mayEnd.countDown();
            assertThat(answer.get(60, TimeUnit.SECONDS).body()).isEqualTo("{\"result\":\"finished\"}");
            closing.join();
        } finally {
            served.close();
        }
    }

    @Test
    void what_is_not_done_within_the_grace_is_ended() {
        ServedStore served = new ServedStore(directory, setup(Duration.ofMillis(200)));
        String endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        HttpRequest request = served.request("/query", CLIENT)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(ServedStore.statement(endless)))
                .build();
        CompletableFuture<HttpResponse<String>> answer = served.http.sendAsync(request, BodyHandlers.ofString());
        Awaitility.await().until(() -> served.workers().stats().busy() == 1);
        served.server.close();
        HttpResponse<String> ended = answer.join();
        assertThat(ended.statusCode()).isEqualTo(503);
        assertThat(ended.body()).contains("The server is stopping");
        assertThat(served.workers().stats().busy()).isZero();
        served.close();
    }

    @Test
    void closing_twice_or_before_the_start_does_no_harm() {
        ServedStore served = new ServedStore(directory, setup(Duration.ofSeconds(1)));
        served.server.close();
        served.server.close();
        served.close();
    }
}
