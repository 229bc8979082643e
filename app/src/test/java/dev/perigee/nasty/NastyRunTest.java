package dev.perigee.nasty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.WorkerConfig;
import dev.perigee.nasty.NastyRun.Report;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `bench/run nasty` in short: it runs for minutes and judges times too.
class NastyRunTest {
    private static final Duration LIMIT = Duration.ofSeconds(1);

    @TempDir
    Path directory;

    @Test
    void random_nasty_statements_of_clients_stop_nobody_else() throws Exception {
        QueryConfig queries = new QueryConfig(LIMIT, LIMIT, 1_000_000, 1000, 3, 64L << 20)
                .withWorkers(new WorkerConfig(3, 128L << 20, false));
        try (ServedPerigee served = ServedPerigee.open(directory, queries)) {
            URI server = URI.create("http://127.0.0.1:" + served.port());
            NastyRun.prepare(server, ServedPerigee.TOKEN);
            Report report = NastyRun.play(
                    server, ServedPerigee.CLIENT_TOKEN, ServedPerigee.TOKEN, 3, 20261130, Duration.ofSeconds(20));
            System.out.printf("%s, slowest %s, %s%n", report.statuses(), report.slowestRead(), report.slowestWrite());
            assertThat(report.failures()).isEmpty();
            assertThat(report.statuses().keySet())
                    .isSubsetOf(Set.of(NastyRun.CUT_OFF, 200, 400, 403, 409, 413, 500, 503, 504));
            assertThat(report.count()).isPositive();
            assertThat(served.call(
                                    ServedPerigee.CLIENT_TOKEN,
                                    "POST",
                                    "/query",
                                    "{\"sql\":\"SELECT max(id) AS n FROM t\"}")
                            .text())
                    .contains("\"n\":4");
            assertThat(served.value("PRAGMA integrity_check")).isEqualTo("ok");
        }
    }
}
