package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.Source;
import dev.perigee.source.SourceContractTest;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/// PostgreSQL keeps the contract of a source.
class PostgresSourceContractTest extends SourceContractTest {
    private static TestPostgres postgres;

    @BeforeAll
    static void create() {
        postgres = TestPostgres.create();
    }

    @AfterAll
    static void drop() {
        postgres.close();
    }

    @Override
    protected Source open() {
        return new PostgresSource(postgres.config());
    }

    @Override
    protected Source unreachable() {
        SourceConfig c = postgres.config();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return new PostgresSource(new SourceConfig(
                    c.type(),
                    c.host(),
                    taken.getLocalPort(),
                    c.user(),
                    c.password(),
                    c.database(),
                    c.defaultSchema(),
                    c.options(),
                    new SourceConfig.Limits(
                            c.limits().maxConnections(),
                            c.limits().connectTimeout(),
                            c.limits().statementTimeout())));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    protected void execute(String sql) {
        postgres.execute(sql);
    }

    @Override
    protected String product() {
        return "PostgreSQL";
    }

    @Override
    protected List<String> secrets() {
        return List.of("postgres@", "postgres:postgres");
    }
}
