package dev.perigee.freshness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee;
import dev.perigee.freshness.FreshnessChecker.Result;
import dev.perigee.testing.LogSlots;
import dev.perigee.testing.TestPostgres;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The checker of `bench/run freshness`, for some seconds. Only the number of stale answers decides.
class FreshnessCheckerTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"'cursorColumn': 'at'", "'mode': 'xmin'", "'mode': 'log'"})
    void no_answer_is_staler_than_its_request_allows(String mode) throws Exception {
        try (TestPostgres postgres = TestPostgres.create()) {
            String jdbc =
                    "jdbc:postgresql://127.0.0.1:%d/%s?user=postgres".formatted(postgres.port(), postgres.database());
            FreshnessChecker.create(jdbc);
            try (ServedPerigee perigee = ServedPerigee.open(folder, postgres.config())) {
                perigee.call("POST", "/replication/tables", "{'name': 'ledger', 'interval': '1s', %s}".formatted(mode))
                        .result();
                perigee.call("POST", "/replication/sync", "{'tables': ['ledger']}")
                        .result();
                FreshnessChecker checker = new FreshnessChecker(
                        URI.create("http://127.0.0.1:" + perigee.port()), ServedPerigee.TOKEN, jdbc, 500);
                Result result = checker.run(Duration.ofSeconds(5), 20261130);
                System.out.println(mode + ": " + result);
                assertThat(result.stale()).as(checker.firstStale()).isZero();
                assertThat(result.answers()).isPositive();
            } finally {
                LogSlots.dropAll(postgres);
            }
        }
    }
}
