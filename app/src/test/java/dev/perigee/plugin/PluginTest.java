package dev.perigee.plugin;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static dev.perigee.testing.ServedStore.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.fault.Fault;
import dev.perigee.plugin.PluginHost.Access;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.StatementCall;
import dev.perigee.testing.Contract;
import dev.perigee.testing.RawHttp;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// What the server promises a plugin, seen from outside.
class PluginTest {
    @TempDir
    Path directory;

    private ServedStore with(StarbasePlugin... plugins) {
        return new ServedStore(directory, Setup.standard().plugins(plugins));
    }

    private static HttpResponse<String> send(
            ServedStore served, String method, String path, String token, String body) {
        return served.send(served.request(path, token)
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build());
    }

    @Test
    @Contract("Kept: a plugin has name, requiresAuth, pathPrefix, register, beforeQuery, afterQuery")
    void routes_are_below_the_prefix_with_their_own_access() {
        try (ServedStore served = with(new Greeter())) {
            assertThat(served.getAsNobody("/hello").body()).isEqualTo("{\"result\":\"NOBODY\"}");
            assertThat(served.get("/hello", ADMIN).body()).isEqualTo("{\"result\":\"ADMIN\"}");
            assertThat(served.get("/hello", "wrong").body()).isEqualTo("{\"result\":\"NOBODY\"}");
            assertThat(served.getAsNobody("/hello/ann").statusCode()).isEqualTo(401);
            HttpResponse<String> found = served.get("/hello/a%2Fn%20n+%C3%A9?greeting=good%20day&x=1", CLIENT);
            assertThat(json(found).at("/result").toString())
                    .isEqualTo(JsonMapper.shared().readTree("""
                            {"name":"a/n n+é","greeting":"good day","role":"CLIENT","path":"/hello/a/n n+é"}""").toString());
            assertThat(send(served, "POST", "/hello/ann", CLIENT, "{}").statusCode())
                    .isEqualTo(403);
            assertThat(send(served, "POST", "/hello/ann", ADMIN, "{\"a\":[1]}").body())
                    .isEqualTo("{\"result\":{\"a\":[1]}}");
            HttpResponse<String> put = send(served, "PUT", "/hello/ann", ADMIN, "12345");
            assertThat(put.statusCode()).isEqualTo(201);
            assertThat(put.headers().firstValue("X-Size")).hasValue("5");
            assertThat(served.get("/hello/", CLIENT).statusCode()).isEqualTo(404);
            assertThat(served.get("/hello/a/b", CLIENT).statusCode()).isEqualTo(404);
            assertThat(served.get("/ann", CLIENT).statusCode()).isEqualTo(404);
        }
    }

    @Test
    void other_methods_are_405_and_the_allowed_ones_are_named() {
        try (ServedStore served = with(new Greeter())) {
            HttpResponse<String> answer = send(served, "PATCH", "/hello/ann", ADMIN, "");
            assertThat(answer.statusCode()).isEqualTo(405);
            assertThat(answer.headers().firstValue("Allow")).hasValue("GET, HEAD, OPTIONS, POST, PUT");
            assertThat(answer.body()).isEqualTo("{\"error\":\"Method not allowed\"}");
        }
    }

    @Test
    void what_a_route_throws_has_its_fault_s_status_and_a_bug_tells_nothing() {
        try (ServedStore served = with(new Greeter())) {
            HttpResponse<String> fault = send(served, "DELETE", "/hello/fault", ADMIN, "");
            assertThat(fault.statusCode()).isEqualTo(409);
            assertThat(fault.body()).isEqualTo("{\"error\":\"already gone\"}");
            HttpResponse<String> bug = send(served, "DELETE", "/hello/bug", ADMIN, "");
            assertThat(bug.statusCode()).isEqualTo(500);
            assertThat(bug.body()).startsWith("{\"error\":").doesNotContain("secret detail");
            HttpResponse<String> notJson = send(served, "POST", "/hello/ann", ADMIN, "{\"a\":\n nope}");
            assertThat(notJson.statusCode()).isEqualTo(400);
            assertThat(notJson.body()).contains("line 2");
        }
    }

    @Test
    void an_answer_that_breaks_in_the_middle_has_no_proper_end() throws Exception {
        try (ServedStore served = with(new Greeter())) {
            String answer = RawHttp.exchange(served.server.port(), """
                    GET /hello/broken/off HTTP/1.1\r
                    Host: localhost\r
                    Authorization: Bearer client-token\r
                    \r
                    """);
            assertThat(answer).startsWith("HTTP/1.1 200").contains("begun").doesNotEndWith("0\r\n\r\n");
            assertThat(served.getAsNobody("/healthz").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void a_plugin_that_requires_a_token_cannot_open_a_route_to_anybody() {
        StarbasePlugin careless = new StarbasePlugin("careless", true, "/careless") {
            @Override
            public void register(PluginHost host) {
                host.route("GET", "", Access.ANYBODY, _ -> Response.result(1));
            }
        };
        assertThatThrownBy(() -> with(careless)).hasMessageContainingAll("plugin careless", "requires a token");
    }

    @Test
    void two_plugins_share_neither_name_nor_prefix() {
        assertThatThrownBy(() -> with(new StarbasePlugin("a", true, "") {}, new StarbasePlugin("a", true, "/b") {}))
                .hasMessageContaining("same name");
    }

    @Test
    void a_prefix_belongs_to_one_plugin() {
        assertThatThrownBy(() -> with(new StarbasePlugin("a", true, "/p") {}, new StarbasePlugin("b", true, "/p") {}))
                .hasMessageContaining("the path prefix /p");
    }

    @Test
    @Contract({
        "Kept: both hooks run in list order, values chained",
        "Different: hooks run once per query, and plugins live as long as the server"
    })
    void hooks_run_once_each_in_list_order_and_what_they_change_counts() {
        List<String> said = Collections.synchronizedList(new ArrayList<>());
        try (ServedStore served = with(new Hook("one", said), new Hook("two", said))) {
            assertThat(served.raw("SELECT 'x' AS a").at("/result/rows")).hasToString("[[\"x-one-two+one+two\"]]");
            assertThat(said).containsExactly("before one", "before two", "after one", "after two");
            said.clear();
            served.query("CREATE TABLE t (a)");
            served.query("INSERT INTO t VALUES ('x') RETURNING a AS a");
            assertThat(said)
                    .containsExactly("before one", "before two", "before one", "before two", "after one", "after two");
        }
    }

    private static final class Hook extends StarbasePlugin {
        private final List<String> said;

        Hook(String name, List<String> said) {
            super(name, true, "");
            this.said = said;
        }

        @Override
        public StatementCall beforeQuery(StatementCall call) {
            said.add("before " + name());
            String sql = call.sql().replace("' AS a", "-" + name() + "' AS a");
            return new StatementCall(sql, call.positional(), call.named(), call.where(), call.caller(), call.isRaw());
        }

        @Override
        public RowSink afterQuery(StatementCall call, RowSink rows) {
            return new RowSink() {
                @Override
                public void columns(List<String> names) {
                    rows.columns(names);
                }

                @Override
                public boolean row(List<Value> cells) {
                    said.add("after " + name());
                    return rows.row(List.of(new Value.Text(((Value.Text) cells.getFirst()).value() + "+" + name())));
                }
            };
        }
    }

    @Test
    @Contract("Kept: an error in beforeQuery fails the query")
    void an_error_in_before_query_fails_the_query_and_nothing_runs() {
        StarbasePlugin strict = new StarbasePlugin("strict", true, "") {
            @Override
            public StatementCall beforeQuery(StatementCall call) {
                if (call.sql().contains("forbidden")) throw Fault.FORBIDDEN.saying("not this one");
                if (call.sql().contains("bug")) throw new IllegalStateException("oops");
                return call;
            }
        };
        try (ServedStore served = with(strict)) {
            assertThat(served.run(CLIENT, "CREATE TABLE forbidden (a)").body())
                    .isEqualTo("{\"error\":\"not this one\"}");
            assertThat(served.run(CLIENT, "CREATE TABLE bug (a)").statusCode()).isEqualTo(500);
            assertThat(served.query("SELECT name FROM sqlite_schema WHERE name LIKE 'forb%' OR name LIKE 'bu_'"))
                    .hasToString("{\"result\":[]}");
            assertThat(served.run(CLIENT, "SELECT 1 AS a").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void a_hook_that_gives_another_caller_gives_no_other_rights() {
        StarbasePlugin naive = new StarbasePlugin("naive", true, "") {
            @Override
            public StatementCall beforeQuery(StatementCall call) {
                return new StatementCall(
                        call.sql(),
                        call.positional(),
                        call.named(),
                        call.where(),
                        dev.perigee.statement.Caller.ADMIN,
                        call.isRaw());
            }
        };
        try (ServedStore served = with(naive)) {
            assertThat(served.run(CLIENT, "PRAGMA integrity_check").statusCode())
                    .isEqualTo(403);
        }
    }

    @Test
    void an_alarm_fires_when_due_and_again_when_it_throws() {
        List<Integer> attempts = Collections.synchronizedList(new ArrayList<>());
        StarbasePlugin alarmed = new StarbasePlugin("alarmed", true, "") {
            @Override
            public void register(PluginHost host) {
                host.setAlarm(Instant.EPOCH);
            }

            @Override
            public void onAlarm(int attempt) {
                attempts.add(attempt);
                if (attempts.size() == 1) throw new IllegalStateException("not yet");
            }
        };
        try (ServedStore served = with(alarmed)) {
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> attempts.size() == 2);
            assertThat(attempts.get(1)).isEqualTo(attempts.get(0) + 1);
            assertThat(served.getAsNobody("/healthz").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void plugins_register_then_start_in_order_and_stop_in_reverse_also_when_one_throws() {
        List<String> said = new ArrayList<>();
        class Said extends StarbasePlugin {
            Said(String name) {
                super(name, true, "");
            }

            @Override
            public void register(PluginHost host) {
                said.add("register " + name());
            }

            @Override
            public void start() {
                said.add("start " + name());
                if (name().equals("late")) throw Fault.DISK_FULL.saying("no space");
            }

            @Override
            public void stop() {
                said.add("stop " + name());
                if (name().equals("b")) throw new IllegalStateException("cannot stop");
            }
        }
        with(new Said("a"), new Said("b"), new Said("c")).close();
        assertThat(said)
                .containsExactly(
                        "register a",
                        "register b",
                        "register c",
                        "start a",
                        "start b",
                        "start c",
                        "stop c",
                        "stop b",
                        "stop a");
        said.clear();
        assertThatThrownBy(() -> with(new Said("x"), new Said("late"), new Said("never")))
                .hasMessageContainingAll("plugin late", "start failed", "no space");
        assertThat(said)
                .containsExactly("register x", "register late", "register never", "start x", "start late", "stop x");
    }
}
