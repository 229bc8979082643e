package dev.perigee.query.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.QueryConfig;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Row-level security under random writes, and while its policies change.
class PolicedWritesRandomTest {
    @TempDir
    Path directory;

    private ServedStore served;

    @BeforeEach
    void open() {
        served = new ServedStore(
                directory, Setup.standard().query(QueryConfig.defaults().withRowLevelSecurity(true)));
        served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, owner TEXT, k INTEGER UNIQUE, v TEXT)");
        policy("me");
    }

    @AfterEach
    void close() {
        served.close();
    }

    private void policy(String owner) {
        served.query("DELETE FROM tmp_rls_policies");
        served.query("INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator)"
                + " SELECT value, 't', 'owner', '" + owner
                + "', 'string', '=' FROM json_each('[\"SELECT\",\"INSERT\",\"UPDATE\",\"DELETE\"]')");
    }

    private String others() {
        return served.query("SELECT * FROM t WHERE owner IS NOT 'me' ORDER BY id")
                .get("result")
                .toString();
    }

    /// Whatever a client writes, rows of others stay as they are, none is made in their name, and what is given back is
    /// the client's own.
    @Test
    void random_writes_of_a_client_leave_the_rows_of_others_as_they_are() {
        served.query(
                "INSERT INTO t SELECT value, CASE value % 2 WHEN 0 THEN 'me' ELSE 'you' END, value * 10, 'v' || value"
                        + " FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]')");
        served.query("INSERT INTO t VALUES (50, NULL, 500, 'nobody')");
        String before = others();
        Random random = new Random(21);
        String[] owners = {"'me'", "'me'", "'me'", "'you'", "NULL", "owner", "(SELECT owner FROM t LIMIT 1)"};
        String[] conditions = {
            "id = %d",
            "k = %d0",
            "owner = 'you'",
            "1",
            "id IN (SELECT id FROM t WHERE k > %d)",
            "v LIKE 'v%%'",
            "id = %d OR owner IS NULL"
        };
        int done = 0;
        for (int i = 0; i < 1500; i++) {
            int id = random.nextInt(20);
            int key = random.nextInt(20) * 10;
            String owner = owners[random.nextInt(owners.length)];
            String fresh = owner.contains("owner") ? "'me'" : owner;
            String where = conditions[random.nextInt(conditions.length)].formatted(id);
            String returning = random.nextInt(4) == 0 ? " RETURNING id, owner, k, v" : "";
            String sql = switch (random.nextInt(9)) {
                case 0 -> "INSERT INTO t VALUES (%d, %s, %d, 'n%d')".formatted(id, fresh, key, i);
                case 1 -> "INSERT OR REPLACE INTO t VALUES (%d, %s, %d, 'r%d')".formatted(id, fresh, key, i);
                case 2 -> "INSERT OR IGNORE INTO t VALUES (%d, %s, %d, 'i%d')".formatted(id, fresh, key, i);
                case 3 ->
                    "INSERT INTO t VALUES (%d, 'me', %d, 'u%d') ON CONFLICT DO UPDATE SET v = excluded.v, owner = %s"
                            .formatted(id, key, i, fresh);
                case 4 -> "UPDATE t SET v = 'w%d', owner = %s WHERE %s".formatted(i, owner, where);
                case 5 -> "UPDATE OR REPLACE t SET k = %d WHERE %s".formatted(key, where);
                case 6 -> "UPDATE t SET id = id + 100 WHERE " + where;
                case 7 ->
                    "INSERT INTO t (owner, k, v) SELECT %s, k + 1000 + %d, v FROM t WHERE %s"
                            .formatted(fresh, i * 1000, where);
                default -> random.nextInt(4) == 0 ? "DELETE FROM t WHERE " + where : "DELETE FROM t WHERE id = " + id;
            };
            HttpResponse<String> answer = served.run(ServedStore.CLIENT, sql + returning);
            assertThat(answer.statusCode()).as(sql + answer.body()).isIn(200, 400, 403, 409);
            assertThat(others()).as(sql).isEqualTo(before);
            if (answer.statusCode() != 200) continue;
            done++;
            for (JsonNode row : ServedStore.json(answer).get("result")) {
                assertThat(row.get("owner").asString()).as(sql).isEqualTo("me");
            }
        }
        assertThat(done).isGreaterThan(300);
    }

    /// After the answer to a change of policies, no row is shown that the new ones hide.
    @Test
    void a_policy_that_changes_while_clients_read_holds_from_its_answer_on() throws Exception {
        served.query("INSERT INTO t VALUES (1, 'me', 1, 'mine'), (2, 'you', 2, 'yours')");
        AtomicBoolean stop = new AtomicBoolean();
        Thread[] readers = new Thread[4];
        for (int i = 0; i < readers.length; i++) {
            readers[i] = Thread.ofVirtual().start(() -> {
                while (!stop.get()) served.run(ServedStore.CLIENT, "SELECT * FROM t");
            });
        }
        try {
            for (int i = 0; i < 100; i++) {
                String owner = i % 2 == 0 ? "you" : "me";
                policy(owner);
                JsonNode rows = ServedStore.json(served.run(ServedStore.CLIENT, "SELECT owner FROM t"))
                        .get("result");
                assertThat(rows.toString()).isEqualTo("[{\"owner\":\"%s\"}]".formatted(owner));
            }
        } finally {
            stop.set(true);
            for (Thread reader : readers) reader.join();
        }
    }
}
