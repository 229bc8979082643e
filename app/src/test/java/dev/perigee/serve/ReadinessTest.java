package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.testing.ServedStore;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whether threads that have ended are told of.
class ReadinessTest {
    @TempDir
    private Path directory;

    @Test
    void threads_that_ended_are_in_the_metrics_and_one_that_is_not_replaced_makes_the_server_not_ready()
            throws Exception {
        try (ServedStore served = new ServedStore(directory)) {
            assertThat(served.getAsNobody("/readyz").statusCode()).isEqualTo(200);
            served.store.read(Duration.ofSeconds(30), tx -> {
                tx.connection().close();
                return null;
            });
            assertThat(served.query("SELECT 7 AS n").at("/result/0/n").asInt()).isEqualTo(7);
            await().until(() -> served.store.threads().endCounts().containsKey("reader"));
            await().until(() -> served.getAsNobody("/readyz").statusCode() == 200);
            assertThat(served.get("/metrics", ServedStore.ADMIN).body())
                    .contains(
                            "perigee_thread_ends_total{kind=\"reader\"} 1.0",
                            "perigee_threads_down{kind=\"reader\"} 0.0");

            assertThatThrownBy(() -> served.store.write(tx -> {
                        tx.connection().close();
                        return null;
                    }))
                    .isInstanceOf(RuntimeException.class);
            served.store.threads().vitalEnd().get(60, TimeUnit.SECONDS);
            HttpResponse<String> answer = served.getAsNobody("/readyz");
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.body()).contains("writer");
            assertThat(served.get("/metrics", ServedStore.ADMIN).body())
                    .contains("perigee_threads_down{kind=\"writer\"} 1.0");
            assertThat(served.getAsNobody("/healthz").statusCode()).isEqualTo(200);
        }
    }
}
