package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.sqlite.Value;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestPostgres;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A network that fails in the middle of things: a pull is whole or a fault, never a short answer.
@Timeout(300)
class PostgresNetworkTest {
    private static final int ROWS = 5_000;

    private static TestPostgres postgres;
    private TcpProxy proxy;
    private PostgresSource source;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        postgres.execute("""
                CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL);
                INSERT INTO t SELECT i, repeat('x', i %% 100) FROM generate_series(1, %d) i""".formatted(ROWS));
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @BeforeEach
    void open() {
        proxy = new TcpProxy(postgres.port());
        SourceConfig c = postgres.config();
        source = new PostgresSource(new SourceConfig(
                c.type(),
                "127.0.0.1",
                proxy.port(),
                c.user(),
                c.password(),
                c.database(),
                c.defaultSchema(),
                Map.of("sslmode", "disable"),
                new SourceConfig.Limits(2, Duration.ofSeconds(1), Duration.ofSeconds(2))));
    }

    @AfterEach
    void close() {
        source.close();
        proxy.close();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void a_pull_that_is_cut_off_is_a_fault_wherever_the_cut_is(long seed) {
        Random random = new Random(seed);
        Pull pull = pull();
        source.count(pull.table()); // the first snapshot also asks what the server answers
        pullWhole(pull); // and the first pull has the session keep statements
        long before = proxy.sent();
        pullWhole(pull);
        long bytes = proxy.sent() - before;
        for (int i = 0; i < 5; i++) {
            TcpProxy.Fault how = random.nextBoolean() ? TcpProxy.Fault.CLOSE : TcpProxy.Fault.RESET;
            // The last cuts fall between the last row and the end of the transaction.
            long cut = i == 0 ? bytes - 1 - random.nextInt(60) : random.nextLong(bytes - 1);
            proxy.failAfter(cut, how);
            try (CollectedPages pages = new CollectedPages(2, 500)) {
                assertThatThrownBy(() -> source.pull(pull, pages))
                        .as("%s after %d of %d bytes", how, cut, bytes)
                        .isInstanceOfSatisfying(PerigeeException.class, e -> {
                            assertThat(e.fault()).isEqualTo(Fault.SOURCE_UNREACHABLE);
                            assertThat(e.getMessage()).contains("table public.t");
                        });
                for (int row = 0; row < pages.rows.size(); row++) {
                    assertThat(pages.rows.get(row).getFirst()).isEqualTo(new Value.Int(row + 1));
                }
            }
            proxy.heal();
            assertThat(source.count(pull.table())).isEqualTo(ROWS);
            pullWhole(pull);
        }
    }

    private void pullWhole(Pull pull) {
        try (CollectedPages whole = new CollectedPages(2, 500)) {
            assertThat(source.pull(pull, whole)).isEqualTo(ROWS);
        }
    }

    @Test
    void a_network_that_falls_silent_is_given_up() {
        Pull pull = pull();
        proxy.failAfter(100_000, TcpProxy.Fault.BLACK_HOLE);
        try (CollectedPages pages = new CollectedPages(2, 500)) {
            assertFails(() -> source.pull(pull, pages), Fault.SOURCE_TIMEOUT);
            assertThat(pages.rows).hasSizeLessThan(ROWS);
        }
        proxy.heal();
        assertThat(source.count(pull.table())).isEqualTo(ROWS);
    }

    @Test
    void a_server_that_does_not_answer_a_login_is_given_up() {
        proxy.failAfter(0, TcpProxy.Fault.BLACK_HOLE);
        assertFails(source::info, Fault.SOURCE_UNREACHABLE);
        proxy.heal();
        assertThat(source.info().product()).startsWith("PostgreSQL 1");
    }

    @ParameterizedTest
    @EnumSource(TcpProxy.Fault.class)
    void nothing_that_is_asked_is_answered_as_if_there_were_nothing(TcpProxy.Fault how) {
        Pull pull = pull();
        proxy.failAfter(0, how);
        assertFails(source::discover, null);
        assertFails(() -> source.describe("t"), null);
        assertFails(() -> source.count(pull.table()), null);
        assertFails(() -> source.query("SELECT 1", List.of(), new CollectedAnswer()), null);
    }

    private Pull pull() {
        return new Pull(
                source.describe("t"),
                List.of("id", "v"),
                List.of("id"),
                new Scope.After("id", Optional.empty()),
                500,
                NumericStorage.EXACT,
                TimestampStorage.ISO);
    }

    /// @param fault null for one of the two that a failing network is
    private static void assertFails(Runnable call, Fault fault) {
        assertThatThrownBy(call::run).isInstanceOfSatisfying(PerigeeException.class, e -> {
            if (fault != null) assertThat(e.fault()).as(e.getMessage()).isEqualTo(fault);
            else assertThat(e.fault()).as(e.getMessage()).isIn(Fault.SOURCE_UNREACHABLE, Fault.SOURCE_TIMEOUT);
        });
    }
}
