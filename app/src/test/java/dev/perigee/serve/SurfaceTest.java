package dev.perigee.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.SurfaceConfig;
import dev.perigee.testing.Contract;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import dev.perigee.testing.TestCertificates;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/// What guards the server's surface.
class SurfaceTest {
    @TempDir
    Path directory;

    private static SurfaceConfig surface(
            List<String> hosts, int perSecond, int failures, boolean isStrict, Optional<SurfaceConfig.Tls> tls) {
        return new SurfaceConfig(hosts, perSecond, failures, isStrict, tls, true);
    }

    private ServedStore served(SurfaceConfig surface) {
        UnaryOperator<ServeConfig> change = config -> config.with(surface);
        return new ServedStore(directory.resolve("data"), Setup.standard().serve(change));
    }

    /// The first line of what comes back for a raw request.
    private static String raw(int port, String request) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.ISO_8859_1));
            out.flush();
            InputStream in = socket.getInputStream();
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c >= 0 && c != '\r'; c = in.read()) line.append((char) c);
            return line.toString();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "localhost, 200",
        "127.0.0.1:8080, 200",
        "[::1]:1, 200",
        "LOCALHOST., 200",
        "app.localhost, 200",
        "db.example.com:443, 200",
        "[2001:db8::7]:443, 200",
        "[2001:DB8:0:0:0:0:0:7], 200",
        "[2001:db8::8], 421",
        "[2001], 400",
        "evil.example.com, 421",
        "localhost.evil.example.com, 421",
        "127.0.0.1.evil.example.com, 421",
        "169.254.169.254, 421",
    })
    void a_name_that_is_not_the_servers_is_refused(String host, int status) throws Exception {
        try (ServedStore served =
                served(surface(List.of("db.example.com", "2001:db8::7"), 1000, 60, false, Optional.empty()))) {
            String answer = raw(
                    served.server.port(),
                    "GET /status/database HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n"
                            .formatted(host, ServedStore.CLIENT));
            assertThat(answer).startsWith("HTTP/1.1 " + status);
        }
    }

    @Test
    void a_token_that_asks_too_often_is_told_to_wait_and_others_are_served() {
        try (ServedStore served = served(surface(List.of(), 1, 60, false, Optional.empty()))) {
            HttpRequest request = served.request("/query", ServedStore.CLIENT)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(ServedStore.statement("SELECT 1")))
                    .build();
            // One a second is let in, and twenty are sent at once.
            List<HttpResponse<String>> answers =
                    Stream.generate(() -> served.http.sendAsync(request, BodyHandlers.ofString()))
                            .limit(20)
                            .toList()
                            .stream()
                            .map(CompletableFuture::join)
                            .toList();
            assertThat(answers)
                    .extracting(HttpResponse::statusCode)
                    .contains(200, 429)
                    .isSubsetOf(200, 429);
            HttpResponse<String> refused = answers.stream()
                    .filter(answer -> answer.statusCode() == 429)
                    .findFirst()
                    .orElseThrow();
            assertThat(refused.headers().firstValue("Retry-After")).isPresent();
            assertThat(served.run(ServedStore.ADMIN, "SELECT 1").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void who_guesses_tokens_is_looked_at_no_more() {
        try (ServedStore served = served(surface(List.of(), 1000, 5, false, Optional.empty()))) {
            int guessed = 0;
            while (served.run("guess" + guessed, "SELECT 1").statusCode() == 401)
                assertThat(++guessed).isLessThan(20);
            assertThat(guessed).isBetween(4, 7);
            assertThat(served.run(ServedStore.ADMIN, "SELECT 1").statusCode()).isEqualTo(429);
        }
    }

    @Test
    void what_another_sites_page_guesses_does_not_lock_out_the_users_own_programs() throws Exception {
        try (ServedStore served = served(surface(List.of(), 1000, 5, false, Optional.empty()))) {
            String request = "GET /status/database HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n"
                    + "Origin: %s\r\nConnection: close\r\n\r\n";
            String last = "";
            for (int i = 0; i < 20; i++) {
                last = raw(served.server.port(), request.formatted("guess" + i, "https://site%d.example".formatted(i)));
            }
            assertThat(last).startsWith("HTTP/1.1 429");
            assertThat(raw(served.server.port(), request.formatted(ServedStore.ADMIN, "https://another.example")))
                    .startsWith("HTTP/1.1 429");
            assertThat(raw(served.server.port(), request.formatted(ServedStore.ADMIN, "http://localhost")))
                    .startsWith("HTTP/1.1 200");
            assertThat(served.run(ServedStore.ADMIN, "SELECT 1").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void tokens_are_not_guessed_at_a_route_that_needs_none() {
        try (ServedStore served = served(surface(List.of(), 1000, 5, false, Optional.empty()))) {
            for (int i = 0; i < 10; i++) {
                assertThat(served.get("/readyz", "guess" + i).statusCode()).isEqualTo(200);
            }
            assertThat(served.run(ServedStore.ADMIN, "SELECT 1").statusCode()).isEqualTo(429);
        }
    }

    @Test
    void all_addresses_of_an_ipv6_network_are_one() throws Exception {
        String one = WrongTokens.network(InetAddress.getByName("2001:db8:1:2:3:4:5:6"));
        assertThat(WrongTokens.network(InetAddress.getByName("2001:db8:1:2:ffff::1")))
                .isEqualTo(one);
        assertThat(WrongTokens.network(InetAddress.getByName("2001:db8:1:3::1")))
                .isNotEqualTo(one);
    }

    @Test
    @Contract("Different: compat: strict restores the original's status codes")
    void strict_compatibility_has_the_originals_statuses() {
        try (ServedStore served = served(surface(List.of(), 1000, 60, true, Optional.empty()))) {
            assertThat(served.run("wrong", "SELECT 1").statusCode()).isEqualTo(400);
            assertThat(served.get("/metrics", ServedStore.CLIENT).statusCode()).isEqualTo(400);
            assertThat(served.run(ServedStore.CLIENT, "SELECT * FROM tmp_alarms")
                            .statusCode())
                    .isEqualTo(400);
            assertThat(served.run(ServedStore.ADMIN, "SELEC 1").statusCode()).isEqualTo(500);
            served.query("CREATE TABLE t (id INTEGER PRIMARY KEY)");
            served.query("INSERT INTO t VALUES (1)");
            assertThat(served.run(ServedStore.ADMIN, "INSERT INTO t VALUES (1)").statusCode())
                    .isEqualTo(500);
            assertThat(served.post("/query", ServedStore.ADMIN, "{}").statusCode())
                    .isEqualTo(400);
            assertThat(served.get("/nothing", ServedStore.ADMIN).statusCode()).isEqualTo(404);
        }
    }

    @Test
    void admins_calls_are_kept_without_what_they_say() throws Exception {
        try (ServedStore served = served(surface(List.of(), 1000, 60, false, Optional.empty()))) {
            served.query("SELECT 'a secret value'");
            served.get("/_internal/stats?note=hidden", ServedStore.ADMIN);
            served.run(ServedStore.CLIENT, "SELECT 1");
            String rows = Awaitility.await()
                    .until(
                            () -> served.query(
                                            "SELECT method, path, status, address FROM tmp_audit_log ORDER BY id LIMIT 2")
                                    .get("result")
                                    .toString(),
                            text -> text.contains("stats"));
            assertThat(rows)
                    .isEqualTo(
                            "[{\"method\":\"POST\",\"path\":\"/query\",\"status\":200,\"address\":\"127.0.0.1\"},"
                                    + "{\"method\":\"GET\",\"path\":\"/_internal/stats\",\"status\":200,\"address\":\"127.0.0.1\"}]");
            assertThat(served.run(ServedStore.ADMIN, "DELETE FROM tmp_audit_log")
                            .statusCode())
                    .isEqualTo(403);
            assertThat(served.run(ServedStore.CLIENT, "SELECT * FROM tmp_audit_log")
                            .statusCode())
                    .isEqualTo(403);
        }
    }

    @Test
    void a_client_does_not_fill_the_disk_and_may_delete_what_it_has() {
        QueryConfig small = QueryConfig.defaults().withMaxDatabaseBytes(3L << 20);
        try (ServedStore served =
                new ServedStore(directory.resolve("data"), Setup.standard().query(small))) {
            served.query("CREATE TABLE t (b)");
            int status = 200;
            int count = 0;
            while (status == 200 && count++ < 100) {
                status = served.run(ServedStore.CLIENT, "INSERT INTO t VALUES (zeroblob(200000))")
                        .statusCode();
            }
            assertThat(status).isEqualTo(413);
            assertThat(count).isLessThan(20);
            assertThat(served.run(ServedStore.CLIENT, "INSERT INTO t VALUES (zeroblob(200000))")
                            .body())
                    .contains("query.maxDatabaseBytes");
            assertThat(served.run(ServedStore.ADMIN, "INSERT INTO t VALUES (zeroblob(200000))")
                            .statusCode())
                    .isEqualTo(200);
            assertThat(served.run(ServedStore.CLIENT, "DELETE FROM t").statusCode())
                    .isEqualTo(200);
            assertThat(served.run(ServedStore.CLIENT, "INSERT INTO t VALUES (zeroblob(200000))")
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void connections_are_encrypted_with_the_files_as_they_are_now() throws Exception {
        TestCertificates first = new TestCertificates(directory, "first");
        Path certificate = directory.resolve("server.crt");
        Path key = directory.resolve("server.key");
        Files.copy(first.sign("one", "EC", "ip:127.0.0.1,dns:localhost"), certificate);
        Files.copy(directory.resolve("one.key"), key);
        Optional<SurfaceConfig.Tls> tls = Optional.of(new SurfaceConfig.Tls(certificate, key));
        try (ServedStore served = served(surface(List.of(), 1000, 60, false, tls))) {
            URI address = URI.create("https://localhost:%d/query".formatted(served.server.port()));
            SSLContext trusting = TestCertificates.trusting(first.root());
            try (HttpClient https = HttpClient.newBuilder().sslContext(trusting).build()) {
                HttpRequest request = HttpRequest.newBuilder(address)
                        .header("Authorization", ServedStore.CLIENT)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString("{\"sql\":\"SELECT 1 AS a\"}"))
                        .build();
                assertThat(https.send(request, BodyHandlers.ofString()).body()).isEqualTo("{\"result\":[{\"a\":1}]}");
            }
            Files.copy(first.sign("two", "RSA", "dns:localhost"), certificate, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(directory.resolve("two.key"), key, StandardCopyOption.REPLACE_EXISTING);
            Awaitility.await()
                    .until(() -> subject(trusting, served.server.port()).equals("CN=two"));
        }
    }

    private static String subject(SSLContext context, int port) throws Exception {
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", port)) {
            socket.startHandshake();
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSubjectX500Principal()
                    .getName();
        }
    }

    /// What is not used is said once for each change of the files, and the pair before it stays.
    @ParameterizedTest
    @CsvSource({"EC, EC", "RSA, RSA", "EC, RSA", "Ed25519, Ed25519"})
    void a_certificate_that_is_not_the_keys_is_refused_and_the_old_pair_stays(String kind, String other)
            throws Exception {
        TestCertificates authority = new TestCertificates(directory, "first");
        Path certificate = directory.resolve("server.crt");
        Path key = directory.resolve("server.key");
        Files.copy(authority.sign("one", kind, "dns:localhost"), certificate);
        Files.copy(directory.resolve("one.key"), key);
        Path foreign = authority.sign("two", other, "dns:localhost");
        SurfaceConfig.Tls mixed = new SurfaceConfig.Tls(foreign, key);
        assertThatThrownBy(() -> new Encryption(mixed))
                .hasMessageStartingWith("CONFIG_INVALID in serve.tls")
                .hasMessageContaining("two.crt")
                .hasMessageContaining("server.key");
        SurfaceConfig.Tls tls = new SurfaceConfig.Tls(certificate, key);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(Encryption.class);
        log.start();
        logger.addAppender(log);
        try (Encryption encryption = new Encryption(tls)) {
            encryption.context().start();
            Files.copy(foreign, certificate, StandardCopyOption.REPLACE_EXISTING);
            encryption.look();
            encryption.look();
            encryption.look();
            assertThat(log.list).hasSize(1);
            assertThat(log.list.getFirst().getFormattedMessage()).contains("server.crt", "server.key");
            assertThat(named(encryption)).isEqualTo("CN=one");
            Files.copy(directory.resolve("two.key"), key, StandardCopyOption.REPLACE_EXISTING);
            encryption.look();
            assertThat(named(encryption)).isEqualTo("CN=two");
            encryption.context().stop();
        } finally {
            logger.detachAppender(log);
        }
    }

    private static String named(Encryption encryption) throws Exception {
        return ((X509Certificate) encryption.context().getKeyStore().getCertificate("server"))
                .getSubjectX500Principal()
                .getName();
    }

    @Test
    void files_that_are_no_certificate_and_key_are_named() throws Exception {
        TestCertificates authority = new TestCertificates(directory, "first");
        Path certificate = authority.sign("one", "EC", "ip:127.0.0.1");
        Path key = directory.resolve("one.key");
        Path nothing = Files.writeString(directory.resolve("nothing.pem"), "nothing");
        Path broken = Files.writeString(
                directory.resolve("broken.pem"), "-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n");
        for (SurfaceConfig.Tls tls : List.of(
                new SurfaceConfig.Tls(nothing, key),
                new SurfaceConfig.Tls(certificate, nothing),
                new SurfaceConfig.Tls(certificate, broken),
                new SurfaceConfig.Tls(directory.resolve("absent.pem"), key),
                new SurfaceConfig.Tls(certificate, directory.resolve("absent.pem")))) {
            assertThatThrownBy(() -> new Encryption(tls))
                    .hasMessageStartingWith("CONFIG_INVALID in serve.tls")
                    .message()
                    .containsAnyOf("nothing.pem", "absent.pem", "broken.pem");
        }
    }

    /// Whatever comes over a connection, the next is served, and what is answered says nothing of the inside.
    @Test
    void random_bytes_and_requests_stop_nothing() throws Exception {
        try (ServedStore served = served(surface(List.of(), 100_000, 100_000, false, Optional.empty()))) {
            Random random = new Random(5);
            String[] words = {
                "GET",
                "POST",
                "PUT",
                " ",
                "/",
                "/query",
                "/rest/t/1",
                "/socket",
                "/cdc",
                "/export/csv/",
                "%2e%2e/",
                "%00",
                "?",
                "&",
                "=",
                "HTTP/1.1",
                "\r\n",
                "\r\n\r\n",
                "Host: localhost",
                "Content-Length: ",
                "99999999999999999999",
                "-1",
                "5",
                "Transfer-Encoding: chunked",
                "Authorization: Bearer ",
                ServedStore.CLIENT,
                "Content-Type: application/json",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: x",
                "{\"sql\":",
                "\"SELECT 1\"",
                "}",
                "[",
                "\u0000",
                "é",
                "Cookie: perigee_studio=x"
            };
            for (int i = 0; i < 400; i++) {
                StringBuilder text =
                        new StringBuilder(random.nextBoolean() ? "POST /query HTTP/1.1\r\nHost: localhost\r\n" : "");
                for (int k = random.nextInt(20); k > 0; k--) text.append(words[random.nextInt(words.length)]);
                try (Socket socket = new Socket("127.0.0.1", served.server.port())) {
                    socket.setSoTimeout(60_000);
                    socket.getOutputStream().write(text.toString().getBytes(StandardCharsets.UTF_8));
                    socket.shutdownOutput(); // No more comes: nothing is waited for.
                    String said = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    assertThat(said)
                            .as(text.toString())
                            .matches("(?s)(HTTP/1\\.1 [1-4]\\d\\d .*|HTTP/1\\.1 505 .*|)")
                            .doesNotContain("HTTP/1.1 500", "\tat ", "dev.perigee", "org.eclipse");
                } catch (java.net.SocketException _) {
                    // Closed before all of it was read.
                }
            }
            assertThat(served.run(ServedStore.CLIENT, "SELECT 1").statusCode()).isEqualTo(200);
        }
    }

    /// Statements made of SQL's own words, with and without row-level security.
    @Test
    void random_statements_stop_nothing_and_reach_nothing_of_others() {
        for (boolean isPoliced : List.of(false, true)) {
            QueryConfig query = QueryConfig.defaults().withRowLevelSecurity(isPoliced);
            try (ServedStore served = new ServedStore(
                    directory.resolve("sql" + isPoliced), Setup.standard().query(query))) {
                served.query("CREATE TABLE t (id INTEGER PRIMARY KEY, owner TEXT, v TEXT)");
                served.query("CREATE TABLE hidden (v TEXT)");
                served.query("INSERT INTO t VALUES (1, 'me', 'mine'), (2, 'you', 'TOPSECRET')");
                served.query(
                        "INSERT INTO tmp_rls_policies (actions, \"table\", \"column\", value, value_type, operator)"
                                + " SELECT value, 't', 'owner', 'me', 'string', '=' FROM json_each('[\"SELECT\",\"INSERT\",\"UPDATE\",\"DELETE\"]')");
                served.query("INSERT INTO hidden VALUES ('TOPSECRET')");
                Random random = new Random(9);
                String[] words = {
                    "SELECT",
                    "*",
                    "v",
                    "id",
                    "owner",
                    "FROM",
                    "t",
                    "main.t",
                    "\"t\"",
                    "hidden",
                    "WHERE",
                    "EXISTS",
                    "(",
                    ")",
                    ",",
                    "UNION",
                    "WITH",
                    "t AS",
                    "x AS",
                    "INSERT INTO",
                    "VALUES",
                    "UPDATE",
                    "SET",
                    "DELETE FROM",
                    "REPLACE INTO",
                    "RETURNING",
                    "ON CONFLICT DO NOTHING",
                    "=",
                    "1",
                    "'me'",
                    "NULL",
                    "rowid",
                    "IN",
                    "ORDER BY",
                    "GROUP BY",
                    "max(",
                    "json_group_array(v)",
                    "sqlite_master",
                    "pragma_table_info('t')",
                    "tmp_rls_policies",
                    "OR 1=1",
                    "LIMIT 5",
                    "--",
                    "/*",
                    "*/",
                    ";",
                    "CREATE VIEW y AS",
                    "CREATE TRIGGER z AFTER INSERT ON t BEGIN",
                    "END",
                    "CASE WHEN",
                    "THEN",
                    "temp.t",
                    "JOIN",
                    "NATURAL JOIN"
                };
                for (int i = 0; i < 3000; i++) {
                    StringBuilder sql = new StringBuilder(
                            random.nextInt(3) == 0
                                    ? "SELECT * FROM t "
                                    : random.nextInt(3) == 0 ? "UPDATE t SET v = v " : "");
                    for (int k = 1 + random.nextInt(9); k > 0; k--)
                        sql.append(words[random.nextInt(words.length)]).append(' ');
                    var answer = served.run(ServedStore.CLIENT, sql.toString());
                    assertThat(answer.statusCode()).as(sql + answer.body()).isNotEqualTo(500);
                    if (isPoliced) assertThat(answer.body()).as(sql.toString()).doesNotContain("TOPSECRET");
                    assertThat(answer.body()).doesNotContain("tmp_rls_policies (", "\tat ");
                }
                if (isPoliced) {
                    assertThat(served.query("SELECT v FROM t WHERE id = 2").toString())
                            .contains("TOPSECRET");
                }
                assertThat(served.workers().stats().busy()).isZero();
                assertThat(served.run(ServedStore.CLIENT, "SELECT 1").statusCode())
                        .isEqualTo(200);
            }
        }
    }
}
