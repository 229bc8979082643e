package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresLogin;
import dev.perigee.testing.TcpProxy;
import dev.perigee.testing.TestCertificates;
import dev.perigee.testing.TestPostgres;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/// Logins against a server that speaks TLS and asks for passwords and certificates, and one that does not.
///
/// The server's certificate is for `localhost`, so the same server is a wrong host under its address.
@Timeout(300)
class PostgresTlsTest {
    private static final String PASSWORD = "open-sesame-7";

    @TempDir
    static Path folder;

    private static EmbeddedPostgres server;
    private static TestPostgres plain;
    private static TestCertificates trusted;
    private static TestCertificates stranger;

    @BeforeAll
    static void start() throws IOException, SQLException {
        trusted = new TestCertificates(folder, "root");
        trusted.sign("server", "EC", "dns:localhost");
        trusted.sign("ann", "EC", "dns:ann");
        trusted.sign("bob", "RSA", "dns:bob");
        stranger = new TestCertificates(folder, "stranger");
        server = TestPostgres.server()
                .setServerConfig("ssl", "on")
                .setServerConfig("ssl_cert_file", folder.resolve("server.crt").toString())
                .setServerConfig("ssl_key_file", folder.resolve("server.key").toString())
                .setServerConfig("ssl_ca_file", trusted.root().toString())
                .start();
        sql("CREATE ROLE ann LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE eve LOGIN PASSWORD '%1$s';".formatted(PASSWORD)
                + "CREATE ROLE carl LOGIN PASSWORD '%1$s'".formatted(PASSWORD));
        Path hba = Path.of(one("SHOW hba_file"));
        Files.writeString(hba, """
                host all postgres all trust
                hostssl all ann all cert
                hostssl all bob all cert
                hostssl all eve all scram-sha-256
                host all carl all scram-sha-256
                """);
        sql("SELECT pg_reload_conf()");
        plain = TestPostgres.create();
    }

    @AfterAll
    static void stop() throws IOException {
        plain.close();
        server.close();
    }

    @ParameterizedTest
    @CsvSource({
        "disable, false",
        "allow, false",
        "prefer, true",
        "require, true",
        "verify-ca, true",
        "verify-full, true",
    })
    void each_mode_of_libpq_connects_as_it_says(String mode, boolean isEncrypted) {
        SourceConfig config = mode.startsWith("verify")
                ? config("localhost", "carl", "sslmode", mode, "sslrootcert", root())
                : config("localhost", "carl", "sslmode", mode);
        assertThat(isEncrypted(config)).isEqualTo(isEncrypted);
    }

    @Test
    void without_a_mode_tls_is_preferred() {
        assertThat(isEncrypted(config("localhost", "carl"))).isTrue();
        assertThat(isEncrypted(plain.config())).isFalse();
    }

    @Test
    void a_user_for_whom_the_server_wants_tls_gets_it_in_mode_allow() {
        assertThat(isEncrypted(config("localhost", "eve", "sslmode", "allow"))).isTrue();
    }

    @Test
    void verify_full_refuses_a_certificate_for_another_host() {
        assertFails(config("127.0.0.1", "carl", "sslmode", "verify-full", "sslrootcert", root()), Fault.SOURCE_TLS);
        assertThat(isEncrypted(config("127.0.0.1", "carl", "sslmode", "verify-ca", "sslrootcert", root())))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"require", "verify-ca", "verify-full"})
    void a_certificate_of_an_authority_that_is_not_trusted_is_refused(String mode) {
        String strangers = stranger.root().toString();
        assertFails(config("localhost", "carl", "sslmode", mode, "sslrootcert", strangers), Fault.SOURCE_TLS);
    }

    @Test
    void the_systems_authorities_do_not_know_ours() {
        assertFails(config("localhost", "carl", "sslrootcert", "system"), Fault.SOURCE_TLS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"require", "verify-ca", "verify-full"})
    void a_server_without_tls_is_refused_where_tls_is_required(String mode) {
        Map<String, String> options =
                mode.equals("require") ? Map.of("sslmode", mode) : Map.of("sslmode", mode, "sslrootcert", root());
        assertFails(with(plain.config(), "postgres", "postgres", options), Fault.SOURCE_TLS, "SSL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ann", "bob"})
    void a_client_certificate_with_a_pem_key_logs_in(String user) {
        assertThat(isEncrypted(config("localhost", user, certificate(user)))).isTrue();
    }

    @Test
    void a_certificate_of_somebody_else_is_refused() {
        assertFails(config("localhost", "bob", certificate("ann")), Fault.SOURCE_AUTH, "bob");
    }

    @Test
    void no_certificate_where_one_is_needed_is_refused() {
        assertFails(config("localhost", "ann", "sslmode", "require"), Fault.SOURCE_AUTH, "certificate");
    }

    @Test
    void a_key_in_the_old_format_is_refused_with_the_command_that_converts_it() throws IOException {
        Path old = Files.writeString(
                folder.resolve("old.key"), "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
        assertFails(
                config("localhost", "ann", "sslcert", file("ann.crt"), "sslkey", old.toString()),
                Fault.CONFIG_INVALID,
                "sslkey",
                "openssl pkcs8 -topk8");
    }

    @ParameterizedTest
    @CsvSource({
        "sslmode, sometimes, sslmode",
        "sslrootcert, /nowhere/root.crt, sslrootcert",
        "sslcert, /nowhere/me.crt, sslcert",
        "sslkey, /nowhere/me.key, sslkey",
        "sslmode, verify-full, sslrootcert",
        "target_session_attrs, fast, target_session_attrs",
        "connect_timeout, soon, connect_timeout",
        "client_encoding, LATIN1, client_encoding",
        "pgbouncer, true, pgbouncer",
    })
    void a_parameter_that_cannot_be_kept_is_refused_by_name(String name, String value, String named) {
        assertFails(config("localhost", "carl", name, value), Fault.CONFIG_INVALID, named);
    }

    @ParameterizedTest
    @ValueSource(strings = {"any", "read-write", "primary", "prefer-standby"})
    void a_primary_is_taken_where_one_will_do(String attributes) {
        assertThat(isEncrypted(config("localhost", "carl", "target_session_attrs", attributes)))
                .isTrue();
    }

    @Test
    void a_primary_is_refused_where_a_standby_is_wanted() {
        assertFails(config("localhost", "carl", "target_session_attrs", "standby"), Fault.SOURCE_UNREACHABLE);
    }

    @Test
    void the_servers_options_are_set() {
        SourceConfig config = config("localhost", "carl", "options", "-c work_mem=7MB -c search_path=a,b");
        assertThat(read(config, "SELECT current_setting('work_mem') || current_setting('search_path')"))
                .isEqualTo("7MBa,b");
    }

    @Test
    void a_wrong_password_is_reported_at_once_and_tried_once() {
        try (TcpProxy proxy = new TcpProxy(server.getPort())) {
            SourceConfig config = new SourceConfig(
                    "postgresql",
                    "127.0.0.1",
                    proxy.port(),
                    "carl",
                    "wrong-" + PASSWORD,
                    "postgres",
                    "public",
                    Map.of("sslmode", "disable"),
                    new SourceConfig.Limits(
                            4,
                            Duration.ofMinutes(5), // far longer than this test may take
                            Duration.ofSeconds(60)));
            assertFails(config, Fault.SOURCE_AUTH, "carl");
            assertThat(proxy.accepted()).isEqualTo(1);
        }
    }

    @Test
    void no_password_where_one_is_needed_is_refused() {
        assertFails(with(config("localhost", "carl"), "carl", "", Map.of()), Fault.SOURCE_AUTH);
    }

    @Test
    void a_password_is_in_no_message_and_in_no_log() {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level before = root.getLevel();
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        root.addAppender(log);
        root.setLevel(Level.TRACE);
        // It has a level of its own, and would say nothing at any level of the root.
        Logger pool = (Logger) LoggerFactory.getLogger("com.zaxxer.hikari");
        Level poolBefore = pool.getLevel();
        pool.setLevel(Level.TRACE);
        String wrong = "wrong-" + PASSWORD;
        try {
            SourceConfig config =
                    with(config("localhost", "carl"), "carl", wrong, Map.of("sslpassword", "key-" + wrong));
            PostgresConnections connections = new PostgresConnections(config);
            String failure = stackTrace(failure(config));
            assertThat(failure + connections + config + new PostgresLogin(config))
                    .doesNotContain(wrong);
            connections.close();
            isEncrypted(config("localhost", "carl"));
        } finally {
            root.setLevel(before);
            pool.setLevel(poolBefore);
            root.detachAppender(log);
        }
        assertThat(log.list).isNotEmpty();
        assertThat(log.list).noneMatch(event -> event.getFormattedMessage().contains(PASSWORD));
    }

    private static SourceConfig config(String host, String user, String... options) {
        Map<String, String> map = new TreeMap<>();
        for (int i = 0; i < options.length; i += 2) map.put(options[i], options[i + 1]);
        return new SourceConfig(
                "postgresql",
                host,
                server.getPort(),
                user,
                PASSWORD,
                "postgres",
                "public",
                map,
                new SourceConfig.Limits(2, Duration.ofSeconds(20), Duration.ofSeconds(20)));
    }

    private static SourceConfig with(SourceConfig c, String user, String password, Map<String, String> options) {
        return new SourceConfig(
                c.type(),
                c.host(),
                c.port(),
                user,
                password,
                c.database(),
                c.defaultSchema(),
                options,
                new SourceConfig.Limits(
                        c.limits().maxConnections(),
                        c.limits().connectTimeout(),
                        c.limits().statementTimeout()));
    }

    private static String[] certificate(String user) {
        return new String[] {"sslmode", "require", "sslcert", file(user + ".crt"), "sslkey", file(user + ".key")};
    }

    private static String file(String name) {
        return folder.resolve(name).toString();
    }

    private static String root() {
        return trusted.root().toString();
    }

    private static boolean isEncrypted(SourceConfig config) {
        return read(config, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                .equals("true");
    }

    private static String read(SourceConfig config, String sql) {
        try (PostgresConnections connections = new PostgresConnections(config)) {
            return connections.read("a test", session -> {
                try (Statement statement = session.createStatement();
                        ResultSet row = statement.executeQuery(sql)) {
                    row.next();
                    return row.getString(1);
                }
            });
        }
    }

    private static PerigeeException failure(SourceConfig config) {
        try {
            read(config, "SELECT 1");
        } catch (PerigeeException e) {
            return e;
        }
        throw new AssertionError("it connected");
    }

    private static void assertFails(SourceConfig config, Fault fault, String... mentioned) {
        PerigeeException failure = failure(config);
        assertThat(failure.fault()).as(failure.getMessage()).isEqualTo(fault);
        for (String part : mentioned) assertThat(failure.getMessage()).contains(part);
        assertThat(failure.getMessage()).doesNotContain(PASSWORD);
    }

    private static String stackTrace(Throwable e) {
        StringWriter text = new StringWriter();
        e.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    private static void sql(String sql) throws SQLException {
        try (Connection c = server.getPostgresDatabase().getConnection();
                Statement statement = c.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String one(String sql) throws SQLException {
        try (Connection c = server.getPostgresDatabase().getConnection();
                Statement statement = c.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
