package dev.perigee;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.ServedPerigee.Reply;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.WorkerConfig;
import dev.perigee.nasty.NastyStatements;
import dev.perigee.plugin.Json;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `query.adminsInWorkers`: an admin may do in a worker what it may in the server, and ends a worker at most.
class AdminsInWorkersTest {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final QueryConfig QUERIES = new QueryConfig(LIMIT, LIMIT, 1_000_000, 1000, 3, 64L << 20)
            .withWorkers(new WorkerConfig(2, 256L << 20, true));

    @TempDir
    Path directory;

    private static Reply run(ServedPerigee served, String sql) {
        return served.call(ServedPerigee.TOKEN, "POST", "/query", Json.MAPPER.writeValueAsString(Map.of("sql", sql)));
    }

    @Test
    void an_admin_writes_what_perigee_reads_and_plugins_functions_judge_it() {
        try (ServedPerigee served = ServedPerigee.open(directory, QUERIES)) {
            // The trigger of this table calls a function of the plugin, which is in the server.
            String task =
                    "INSERT INTO tmp_cron_tasks (name, cron_tab, payload, callback_host) VALUES ('%s', '%s', '{}', 'http://127.0.0.1:1')";
            Reply wrong = run(served, task.formatted("wrong", "61 * * * *"));
            assertThat(wrong.status()).as(wrong.text()).isEqualTo(400);
            assertThat(wrong.text()).contains("61");
            assertThat(run(served, task.formatted("right", "5 * * * *")).status())
                    .isEqualTo(200);
            assertThat(served.value("SELECT group_concat(name) FROM tmp_cron_tasks"))
                    .isEqualTo("right");
            // So does this one, of the allowlist.
            assertThat(run(
                                    served,
                                    "INSERT INTO tmp_allowlist_queries (sql_statement, source) VALUES ('SELEC 1', 'internal')")
                            .status())
                    .isEqualTo(400);
            assertThat(run(served, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)")
                            .status())
                    .isEqualTo(200);
            assertThat(run(served, "INSERT INTO t VALUES (1, 2, 3, x'00ff') RETURNING id")
                            .text())
                    .isEqualTo("{\"result\":[{\"id\":1}]}");
            assertThat(run(served, "ALTER TABLE t RENAME COLUMN c TO d").status())
                    .isEqualTo(200);
            assertThat(served.perigee().queries().workers().stats().running()).isPositive();
        }
    }

    @Test
    void an_admin_s_own_mistake_ends_a_worker_and_not_the_server() {
        try (ServedPerigee served = ServedPerigee.open(directory, QUERIES)) {
            run(served, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)");
            run(served, "INSERT INTO t VALUES (1, 2, 3, 4)");
            assertThat(run(served, NastyStatements.manyAggregates(40_000)).status())
                    .isIn(List.of(500, 504, 413, 400));
            assertThat(served.value("SELECT a FROM t")).isEqualTo("2");
        }
    }
}
