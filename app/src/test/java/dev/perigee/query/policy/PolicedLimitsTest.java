package dev.perigee.query.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.testing.ServedStore;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Statements of clients that reach their limit while policies are on.
class PolicedLimitsTest {
    @TempDir
    private Path directory;

    @Test
    void statements_that_reach_their_limit_under_policies_leave_every_reader_serving() {
        QueryConfig base = QueryConfig.defaults();
        QueryConfig limits = new QueryConfig(
                        Duration.ofSeconds(1),
                        base.limits().writeLimit(),
                        base.limits().maxStatementBytes(),
                        base.limits().maxRows(),
                        base.limits().maxTransactionStatements(),
                        base.limits().maxWriteBytes())
                .withRowLevelSecurity(true);
        ServedStore.Setup setup = ServedStore.Setup.standard().query(limits);
        try (ServedStore served = new ServedStore(directory, setup)) {
            served.store.write(tx -> {
                tx.connection()
                        .exec("CREATE TABLE notes (id INTEGER PRIMARY KEY); INSERT INTO notes VALUES (1);"
                                + " INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator)"
                                + " VALUES ('SELECT', 'notes', 'id', '0', 'number', '>')");
                return true;
            });
            String endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
                    + " SELECT count(*) FROM c WHERE x < 0";
            for (int i = 0; i <= StoreConfig.of(directory).readers(); i++) {
                assertThat(served.run(ServedStore.CLIENT, endless).statusCode()).isEqualTo(504);
            }
            for (int i = 0; i <= StoreConfig.of(directory).readers(); i++) {
                HttpResponse<String> answer = served.run(ServedStore.CLIENT, "SELECT count(*) AS n FROM notes");
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            }
            assertThat(served.get("/readyz", ServedStore.ADMIN).statusCode()).isEqualTo(200);
        }
    }
}
