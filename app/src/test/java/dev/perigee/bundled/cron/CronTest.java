package dev.perigee.bundled.cron;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.perigee.config.CronConfig;
import dev.perigee.config.CronConfig.Missed;
import dev.perigee.plugin.CronEvent;
import dev.perigee.plugin.StarbasePlugin;
import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Tasks by the clock, and who is told of them.
class CronTest {
    private static final String TASK = "INSERT INTO tmp_cron_tasks (name, cron_tab, payload, callback_host) VALUES ";

    /// Takes what it is told; fails, or waits, for tasks of those names.
    private static final class Told extends StarbasePlugin {
        final BlockingQueue<CronEvent> events = new LinkedBlockingQueue<>();
        final CountDownLatch gate = new CountDownLatch(1);

        Told() {
            super("test:told", true, "");
        }

        @Override
        public void onCron(CronEvent event) throws Exception {
            events.add(event);
            if (event.name().equals("fails")) throw new IllegalStateException("no luck" + " at all".repeat(10_000));
            if (event.name().equals("waits")) gate.await(20, TimeUnit.SECONDS);
            boolean isDeaf = event.name().startsWith("deaf");
            while (isDeaf && gate.getCount() > 0) {
                LockSupport.parkNanos(5_000_000);
                Thread.interrupted();
            }
        }

        CronEvent next() throws InterruptedException {
            CronEvent event = events.poll(60, TimeUnit.SECONDS);
            assertThat(event).isNotNull();
            return event;
        }
    }

    private record Call(String body, String signature) {}

    @TempDir
    Path directory;

    private ServedStore served;
    private Told told;
    private HttpServer target;
    private final BlockingQueue<Call> calls = new LinkedBlockingQueue<>();
    private final Queue<Integer> statuses = new ConcurrentLinkedQueue<>();

    @BeforeEach
    void open() throws Exception {
        target = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        target.createContext("/cron/callback", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            calls.add(new Call(body, String.valueOf(exchange.getRequestHeaders().getFirst("X-Perigee-Signature"))));
            Integer status = statuses.poll();
            exchange.sendResponseHeaders(status == null ? 204 : status, -1);
            exchange.close();
        });
        target.start();
        start(CronConfig.DEFAULTS);
    }

    /// Failed callbacks are tried again at once.
    private void start(CronConfig config) {
        start(config, Duration.ofMillis(10), CronCallback.LIMIT);
    }

    private void start(CronConfig config, Duration firstPause, Duration callbackLimit) {
        told = new Told();
        served = new ServedStore(
                directory,
                Setup.standard().plugins(new CronPlugin(config, "the-admins-token", firstPause, callbackLimit), told));
    }

    @AfterEach
    void close() {
        told.gate.countDown();
        served.close();
        target.stop(0);
    }

    private String callbackHost() {
        return "http://127.0.0.1:" + target.getAddress().getPort();
    }

    /// The task's time came while the server was away for so long.
    private void restartAfter(String task, long seconds, CronConfig config) {
        served.store.write(tx -> {
            tx.connection()
                    .exec("UPDATE tmp_cron_state SET due_at_ms = %d WHERE name = '%s'"
                            .formatted(System.currentTimeMillis() - 1000 * seconds, task));
            return true;
        });
        served.close();
        start(config);
    }

    /// The runs, once there are so many.
    private JsonNode runs(int count) {
        return Awaitility.await()
                .until(
                        () -> served.query("SELECT * FROM tmp_cron_runs ORDER BY id")
                                .get("result"),
                        rows -> rows.size() >= count);
    }

    private void awaitPlanned(String task) {
        awaitRow("SELECT 1 FROM tmp_cron_state WHERE name = '%s' AND due_at_ms > 0".formatted(task));
    }

    private void awaitRow(String sql) {
        Awaitility.await()
                .untilAsserted(
                        () -> assertThat(served.query(sql).path("result")).isNotEmpty());
    }

    @Test
    @Contract("Kept: tmp_cron_tasks has its columns")
    void the_table_has_the_originals_columns() {
        assertThat(served.raw("SELECT * FROM tmp_cron_tasks")
                        .get("result")
                        .get("columns")
                        .toString())
                .isEqualTo("[\"name\",\"cron_tab\",\"payload\",\"callback_host\",\"is_active\"]");
    }

    @Test
    void a_task_that_came_due_tells_the_plugins_and_its_host_with_a_signature() throws Exception {
        served.query(TASK + "('tick', '0 0 1 1 *', '{\"a\":[1,null]}', '%s/')".formatted(callbackHost()));
        awaitPlanned("tick");
        restartAfter("tick", 5, CronConfig.DEFAULTS);
        CronEvent event = told.next();
        assertThat(event.name()).isEqualTo("tick");
        assertThat(event.payload()).isEqualTo("{\"a\":[1,null]}");
        Call call = calls.poll(60, TimeUnit.SECONDS);
        JsonNode body = JsonMapper.shared().readTree(call.body()).get(0);
        assertThat(body.get("name").asString()).isEqualTo("tick");
        assertThat(body.get("cron_tab").asString()).isEqualTo("0 0 1 1 *");
        assertThat(body.get("payload").toString()).isEqualTo("{\"a\":[1,null]}");
        String seconds = call.signature().replaceAll("t=(\\d+),v1=.*", "$1");
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec("the-admins-token".getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        String key = HexFormat.of().formatHex(mac.doFinal("perigee cron callbacks".getBytes(StandardCharsets.UTF_8)));
        mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        String expected =
                HexFormat.of().formatHex(mac.doFinal((seconds + "." + call.body()).getBytes(StandardCharsets.UTF_8)));
        assertThat(call.signature()).isEqualTo("t=%s,v1=%s".formatted(seconds, expected));
        JsonNode run = runs(1).get(0);
        assertThat(run.get("outcome").asString()).isEqualTo("done");
        assertThat(run.get("attempts").asInt()).isEqualTo(1);
        assertThat(served.query("SELECT due_at_ms FROM tmp_cron_state")
                        .get("result")
                        .get(0)
                        .get("due_at_ms")
                        .asLong())
                .isGreaterThan(System.currentTimeMillis());
        // Nor does the alarm that is set now run it again: it is for the next time.
        awaitRow("SELECT 1 FROM tmp_alarms JOIN tmp_cron_state USING (due_at_ms) WHERE owner = 'starbasedb:cron'");
        assertThat(runs(1).size()).isEqualTo(1);
    }

    @Test
    void a_callback_that_fails_is_tried_again_and_a_plugin_that_fails_is_named() throws Exception {
        statuses.add(500);
        served.query(TASK + "('fails', '0 0 1 1 *', NULL, '%s')".formatted(callbackHost()));
        assertThat(served.post("/cron/tasks/fails/run", ServedStore.ADMIN, "").statusCode())
                .isEqualTo(202);
        JsonNode run = runs(1).get(0);
        assertThat(run.get("outcome").asString()).isEqualTo("failed");
        assertThat(run.get("attempts").asInt()).isEqualTo(2);
        assertThat(run.get("error").asString()).contains("test:told", "no luck");
        assertThat(calls).hasSize(2);
        assertThat(calls.element().body()).contains("\"payload\":{}");
        assertThat(served.post("/cron/tasks/nothere/run", ServedStore.ADMIN, "").statusCode())
                .isEqualTo(404);
    }

    @Test
    void a_task_that_hangs_holds_up_no_other_and_never_runs_twice_at_once() throws Exception {
        served.query(TASK + "('waits', '0 0 1 1 *', NULL, NULL), ('other', '0 0 1 1 *', NULL, NULL)");
        awaitPlanned("waits");
        served.post("/cron/tasks/waits/run", ServedStore.ADMIN, "");
        assertThat(told.next().name()).isEqualTo("waits");
        HttpResponse<String> again = served.post("/cron/tasks/waits/run", ServedStore.ADMIN, "");
        assertThat(again.statusCode()).as(again.body()).isEqualTo(409);
        assertThat(again.body()).contains("'waits' is already running");
        served.store.write(tx -> {
            tx.connection().exec("UPDATE tmp_cron_state SET due_at_ms = 1 WHERE name = 'waits'");
            return true;
        });
        served.query("UPDATE tmp_cron_tasks SET payload = '{}' WHERE name = 'waits'");
        assertThat(runs(1).get(0).get("outcome").asString()).isEqualTo("overlapped");
        served.post("/cron/tasks/other/run", ServedStore.ADMIN, "");
        assertThat(told.next().name()).isEqualTo("other");
        assertThat(runs(2).get(1).get("name").asString()).isEqualTo("other");
        told.gate.countDown();
        assertThat(runs(3).get(2).get("outcome").asString()).isEqualTo("done");
    }

    @Test
    void plugins_that_hang_for_ever_hold_up_no_other_task_but_only_their_own() throws Exception {
        served.close();
        start(new CronConfig(Optional.empty(), Missed.ONCE, List.of(), Duration.ofMillis(300)));
        for (int i = 0; i < 40; i++) served.query(TASK + "('deaf%d', '0 0 1 1 *', NULL, NULL)".formatted(i));
        served.query(TASK + "('other', '0 0 1 1 *', NULL, NULL)");
        for (int i = 0; i < 40; i++) {
            assertThat(served.post("/cron/tasks/deaf%d/run".formatted(i), ServedStore.ADMIN, "")
                            .statusCode())
                    .isEqualTo(202);
        }
        served.post("/cron/tasks/other/run", ServedStore.ADMIN, "");
        JsonNode runs = runs(41);
        assertThat(runs.toString())
                .contains("\"name\":\"other\"", "plugins took longer than cron.pluginLimit, which is 300 ms");
        assertThat(served.post("/cron/tasks/deaf7/run", ServedStore.ADMIN, "").statusCode())
                .isEqualTo(409);
        String metrics = served.get("/metrics", ServedStore.ADMIN).body();
        assertThat(metrics)
                .contains(
                        "perigee_cron_runs_total{outcome=\"failed\"} 40.0",
                        "perigee_cron_runs_total{outcome=\"done\"} 1.0",
                        "perigee_cron_running 40.0");
        told.gate.countDown();
        Awaitility.await()
                .until(() -> served.post("/cron/tasks/deaf7/run", ServedStore.ADMIN, "")
                                .statusCode()
                        == 202);
    }

    @Test
    void tasks_that_wait_to_try_again_hold_up_no_other() throws Exception {
        served.close();
        start(CronConfig.DEFAULTS, Duration.ofHours(1), CronCallback.LIMIT);
        for (int i = 0; i < 20; i++) {
            statuses.add(500);
            served.query(TASK + "('retries%d', '0 0 1 1 *', NULL, '%s')".formatted(i, callbackHost()));
            served.post("/cron/tasks/retries%d/run".formatted(i), ServedStore.ADMIN, "");
        }
        Awaitility.await().until(() -> calls.size() == 20); // Each was refused once.
        served.query(TASK + "('other', '0 0 1 1 *', NULL, NULL)");
        served.post("/cron/tasks/other/run", ServedStore.ADMIN, "");
        assertThat(runs(1).get(0).get("name").asString()).isEqualTo("other");
    }

    @Test
    void addresses_of_metadata_services_are_not_called_unless_they_are_named() throws Exception {
        List<String> hosts = List.of(
                "169.254.169.254",
                "[::ffff:169.254.169.254]",
                "[fe80::a9fe:a9fe]",
                "[fd00:ec2::254]",
                "100.100.100.200",
                "[::ffff:100.100.100.200]",
                "[64:ff9b::100.100.100.200]",
                "[64:ff9b:1::169.254.169.254]",
                "[2002:a9fe:a9fe::1]",
                "168.63.129.16",
                "192.0.0.192",
                "[fd20:ce::254]",
                "[fd00:c1::a9fe:a9fe]",
                "[fd00:42::42]");
        for (int i = 0; i < hosts.size(); i++) {
            served.query(TASK + "('meta%d', '0 0 1 1 *', NULL, 'http://%s:9')".formatted(i, hosts.get(i)));
            served.post("/cron/tasks/meta%d/run".formatted(i), ServedStore.ADMIN, "");
        }
        JsonNode runs = runs(hosts.size());
        for (JsonNode run : runs) assertThat(run.get("error").asString()).contains("metadata", "cron.callbackHosts");
    }

    @Test
    void rows_that_are_not_even_read_are_paused_and_errors_are_cut() throws Exception {
        served.query(TASK + "('good', '0 0 1 1 *', NULL, NULL), ('fails', '0 0 1 1 *', NULL, NULL)");
        served.store.write(tx -> {
            tx.connection().exec("DROP TRIGGER tmp_cron_added");
            tx.connection()
                    .exec("INSERT INTO tmp_cron_tasks VALUES (x'00ff', '* * * * *', NULL, NULL, 1),"
                            + " (hex(zeroblob(500)), '* * * * *', NULL, NULL, 1), ('wide', '* * * * *', hex(zeroblob(5000000)), NULL, 1),"
                            + " ('blob', x'2a', NULL, NULL, 1)");
            return true;
        });
        served.query("UPDATE tmp_cron_tasks SET payload = '{}' WHERE name = 'good'");
        awaitRow("SELECT 1 WHERE (SELECT count(*) FROM tmp_cron_tasks WHERE is_active = 0) = 4");
        assertThat(served.query(
                                "SELECT count(*) AS n FROM tmp_cron_state WHERE error LIKE '%not text, or is too long%'")
                        .toString())
                .contains("\"n\":4");
        served.post("/cron/tasks/fails/run", ServedStore.ADMIN, "");
        JsonNode run = runs(1).get(0);
        assertThat(run.get("error").asString()).contains("no luck").hasSizeLessThan(2100);
    }

    @Test
    void a_callback_whose_body_never_ends_is_over_after_its_time() throws Exception {
        try (ServerSocket endless = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> {
                List<Socket> open = new ArrayList<>();
                try {
                    while (true) {
                        Socket socket = endless.accept();
                        open.add(socket);
                        socket.getOutputStream()
                                .write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
                                        .getBytes(StandardCharsets.US_ASCII));
                    }
                } catch (IOException _) {
                    // The test is over.
                }
            });
            served.close();
            start(CronConfig.DEFAULTS, Duration.ofMillis(10), Duration.ofSeconds(1));
            served.query(TASK + "('slow', '0 0 1 1 *', NULL, 'http://127.0.0.1:%d')".formatted(endless.getLocalPort()));
            served.post("/cron/tasks/slow/run", ServedStore.ADMIN, "");
            JsonNode run = runs(1).get(0);
            assertThat(run.get("outcome").asString()).isEqualTo("failed");
            assertThat(run.get("error").asString()).contains("did not answer within 1 s");
        }
    }

    @Test
    void a_payload_that_another_program_wrote_wrongly_pauses_its_task() throws Exception {
        served.query(TASK + "('bad', '* * * * *', NULL, NULL)");
        awaitPlanned("bad");
        served.store.write(tx -> {
            tx.connection().exec("DROP TRIGGER tmp_cron_changed");
            tx.connection().exec("UPDATE tmp_cron_tasks SET payload = '{'");
            return true;
        });
        assertThat(served.post("/cron/tasks/bad/run", ServedStore.ADMIN, "").statusCode())
                .isEqualTo(400);
        restartAfter("bad", 5, CronConfig.DEFAULTS);
        JsonNode row = served.query("SELECT is_active, error FROM tmp_cron_tasks JOIN tmp_cron_state USING (name)")
                .get("result")
                .get(0);
        assertThat(row.get("is_active").asInt()).isZero();
        assertThat(row.get("error").asString()).contains("payload");
        assertThat(told.events).isEmpty();
    }

    @Test
    void a_task_that_was_planned_by_a_clock_that_was_ahead_is_planned_again() throws Exception {
        served.query(TASK + "('tick', '* * * * *', NULL, NULL)");
        awaitPlanned("tick");
        restartAfter("tick", -3600, CronConfig.DEFAULTS);
        assertThat(served.query("SELECT due_at_ms FROM tmp_cron_state")
                        .get("result")
                        .get(0)
                        .get("due_at_ms")
                        .asLong())
                .isLessThanOrEqualTo(System.currentTimeMillis() + 60_000);
    }

    @Test
    void runs_that_were_missed_are_made_up_for_once_or_skipped() throws Exception {
        served.query(TASK + "('hourly', '0 * * * *', NULL, NULL)");
        awaitPlanned("hourly");
        restartAfter("hourly", 5 * 3600, CronConfig.DEFAULTS);
        assertThat(told.next().name()).isEqualTo("hourly");
        assertThat(runs(1).size()).isEqualTo(1);
        restartAfter(
                "hourly", 5 * 3600, new CronConfig(Optional.empty(), Missed.SKIP, List.of(), Duration.ofMinutes(5)));
        assertThat(runs(2).get(1).get("outcome").asString()).isEqualTo("missed");
        assertThat(told.events).isEmpty();
    }

    @Test
    @Contract("Different: an invalid cron row is refused when it is written, and a bad one disables itself only")
    void a_task_that_could_not_run_is_refused_and_one_that_got_in_pauses_itself_only() throws Exception {
        for (String wrong : List.of(
                "('a', 'nonsense', NULL, NULL)",
                "('a', '* * * *', NULL, NULL)",
                "('a', '61 * * * *', NULL, NULL)",
                "('a', '1 6-/ 5 8 0', NULL, NULL)",
                "('a', '0 0 31 2 *', NULL, NULL)",
                "('a', 'CRON_TZ=Mars/Olympus 0 0 * * *', NULL, NULL)",
                "('a', NULL, NULL, NULL)",
                "('', '* * * * *', NULL, NULL)",
                "('a', '* * * * *', '{', NULL)",
                "('a', '* * * * *', '', NULL)",
                "('a', '* * * * *', NULL, 'ftp://x')",
                "('a', '* * * * *', NULL, 'http://user:pass@x')",
                "('a', '* * * * *', NULL, 'x')")) {
            HttpResponse<String> answer = served.run(ServedStore.ADMIN, TASK + wrong);
            assertThat(answer.statusCode()).as(wrong + answer.body()).isIn(400, 409);
        }
        served.query(
                TASK + "('good', '* * * * *', NULL, NULL), ('zoned', 'CRON_TZ=Europe/Zurich 0 3 * * *', NULL, NULL)");
        assertThat(served.run(ServedStore.ADMIN, "UPDATE tmp_cron_tasks SET cron_tab = 'x'")
                        .statusCode())
                .isEqualTo(400);
        assertThat(served.run(ServedStore.CLIENT, TASK + "('c', '* * * * *', NULL, NULL)")
                        .statusCode())
                .isEqualTo(403);
        awaitPlanned("good");
        // As another program, which has no trigger's function, would write it.
        served.store.write(tx -> {
            tx.connection().exec("DROP TRIGGER tmp_cron_added");
            tx.connection().exec("INSERT INTO tmp_cron_tasks (name, cron_tab) VALUES ('bad', 'nonsense')");
            return true;
        });
        restartAfter("good", 5, CronConfig.DEFAULTS);
        assertThat(told.next().name()).isEqualTo("good");
        JsonNode bad = served.query(
                        "SELECT is_active, error FROM tmp_cron_tasks JOIN tmp_cron_state USING (name) WHERE name = 'bad'")
                .get("result")
                .get(0);
        assertThat(bad.get("is_active").asInt()).isZero();
        assertThat(bad.get("error").asString()).contains("cron expression");
    }

    @Test
    void only_hosts_that_are_allowed_are_called() {
        served.close();
        start(new CronConfig(Optional.of("s"), Missed.ONCE, List.of("App.example.com"), Duration.ofMinutes(5)));
        assertThat(served.run(ServedStore.ADMIN, TASK + "('a', '* * * * *', NULL, 'http://169.254.169.254')")
                        .statusCode())
                .isEqualTo(403);
        assertThat(served.run(ServedStore.ADMIN, TASK + "('a', '* * * * *', NULL, 'https://app.Example.com')")
                        .statusCode())
                .isEqualTo(200);
        String slashes = "https://app.example.com" + "/".repeat(100_000) + "x";
        assertThat(served.run(ServedStore.ADMIN, TASK + "('b', '* * * * *', NULL, '%s')".formatted(slashes))
                        .statusCode())
                .isEqualTo(413);
    }

    @Test
    @Contract("Kept: POST /cron/callback")
    void another_servers_callback_tells_the_plugins_here() throws Exception {
        String body = "[{\"name\":\"a\",\"cron_tab\":\"* * * * *\",\"payload\":{\"x\":1}},{\"name\":\"b\"}]";
        assertThat(served.post("/cron/callback", ServedStore.ADMIN, body).body())
                .isEqualTo("{\"result\":{\"success\":true}}");
        assertThat(told.next().payload()).isEqualTo("{\"x\":1}");
        assertThat(told.next().name()).isEqualTo("b");
        assertThat(served.post("/cron/callback", ServedStore.CLIENT, body).statusCode())
                .isEqualTo(403);
        assertThat(served.post("/cron/callback", ServedStore.ADMIN, "{}").statusCode())
                .isEqualTo(400);
        assertThat(served.post("/cron/callback", ServedStore.ADMIN, "[1]").statusCode())
                .isEqualTo(400);
    }

    @Test
    void the_secret_and_the_admins_token_are_in_no_row() throws Exception {
        served.query(TASK + "('tick', '0 0 1 1 *', NULL, 'http://127.0.0.1:1')");
        served.post("/cron/tasks/tick/run", ServedStore.ADMIN, "");
        assertThat(runs(1).toString()).doesNotContain("the-admins-token").contains("127.0.0.1:1");
    }

    /// Both times have come when the tasks are looked at; the other's run is the sign that they were.
    @Test
    void a_paused_task_does_not_run() throws Exception {
        served.query(TASK + "('paused', '* * * * *', NULL, NULL), ('runs', '* * * * *', NULL, NULL)");
        awaitPlanned("paused");
        awaitPlanned("runs");
        served.query("UPDATE tmp_cron_tasks SET is_active = 0 WHERE name = 'paused'");
        served.store.write(tx -> {
            tx.connection().exec("UPDATE tmp_cron_state SET due_at_ms = 1 WHERE name = 'paused'");
            return true;
        });
        restartAfter("runs", 5, CronConfig.DEFAULTS);
        assertThat(told.next().name()).isEqualTo("runs");
        served.close(); // It waits for what runs.
        assertThat(told.events).extracting(CronEvent::name).doesNotContain("paused");
        start(CronConfig.DEFAULTS);
    }
}
