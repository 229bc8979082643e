package dev.perigee.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.TableConfig;
import dev.perigee.source.Look;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.ForwardingSource;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How often a look and a sync wait for the source's answer, counted on the network. To a distant source, each time
/// takes as long as everything else together.
class RoundTripsTest {
    private static final Duration RARELY = Duration.ofHours(1);

    @TempDir
    Path folder;

    @Test
    void a_look_at_unchanged_tables_takes_one_and_a_sync_of_changes_at_most_six() {
        try (TestPostgres postgres = TestPostgres.create();
                TcpProxy proxy = new TcpProxy(postgres.port());
                LookCount source = new LookCount(proxy, postgres.database());
                TestHost host = TestHost.idle(folder, source, TableConfig.of("t", "at", RARELY))) {
            postgres.execute("""
                    CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), v text);
                    INSERT INTO t SELECT i FROM generate_series(1, 10) i""");
            for (int i = 0; i < 2; i++) host.plugin.syncTable("t").join();
            await("a look that takes one round trip")
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> {
                        int before = proxy.roundTrips();
                        host.plugin.pollTables(List.of("t")).join();
                        return proxy.roundTrips() - before == 1;
                    });
            int most = IntStream.range(0, 10)
                    .map(i -> {
                        postgres.execute("UPDATE t SET at = clock_timestamp(), v = 'x' WHERE id = " + (1 + i));
                        int before = proxy.roundTrips();
                        assertThat(host.plugin.pollTables(List.of("t")).join())
                                .singleElement()
                                .satisfies(
                                        result -> assertThat(result.updated()).isEqualTo(1));
                        return proxy.roundTrips() - before - source.ofLook;
                    })
                    .skip(3) // the first ones find out what the server answers
                    .max()
                    .orElseThrow();
            assertThat(most).isLessThanOrEqualTo(6);
            assertThat(source.ofLook).isLessThanOrEqualTo(10);
        }
    }

    /// Counts the round trips of the last look apart.
    private static final class LookCount extends ForwardingSource {
        private final TcpProxy proxy;
        int ofLook;

        LookCount(TcpProxy proxy, String database) {
            super(new PostgresSource(TestPostgres.config(proxy.port(), database)));
            this.proxy = proxy;
        }

        @Override
        public Optional<SourceVersion.At> version() {
            int before = proxy.roundTrips();
            Optional<SourceVersion.At> version = super.version();
            ofLook = proxy.roundTrips() - before;
            return version;
        }

        @Override
        public Optional<Look> look(List<Look.Portion> portions) {
            int before = proxy.roundTrips();
            Optional<Look> look = super.look(portions);
            ofLook += proxy.roundTrips() - before;
            return look;
        }
    }
}
