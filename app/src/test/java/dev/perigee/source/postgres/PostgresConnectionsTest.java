package dev.perigee.source.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.testing.TestPostgres;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.copy.CopyOut;

/// Sessions of a real server: who they say they are, what they may do, and that none stays behind.
@Timeout(300)
class PostgresConnectionsTest {
    private static TestPostgres postgres;
    private PostgresConnections connections;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.create();
        postgres.execute("CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES t DEFERRABLE INITIALLY DEFERRED)");
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @BeforeEach
    void open() {
        connections = new PostgresConnections(config(2, Duration.ofSeconds(5), Duration.ofSeconds(30)));
    }

    @AfterEach
    void close() {
        connections.close();
        await().until(() -> sessions() == 0);
    }

    @Test
    void making_a_pool_does_not_connect() {
        new PostgresConnections(unreachable()).close();
        assertThat(sessions()).isZero();
    }

    @Test
    void a_session_says_that_it_is_perigee_and_is_used_again() {
        for (int i = 0; i < 10; i++) assertThat(one("SHOW application_name")).isEqualTo("perigee");
        assertThat(sessions()).isEqualTo(1);
    }

    @Test
    void reading_cannot_write() {
        assertFails(
                () -> connections.read("t", c -> execute(c, "INSERT INTO t VALUES (1)")), Fault.SOURCE_FAILED, "25006");
        assertThat(one("SELECT count(*) FROM t")).isEqualTo("0");
    }

    @Test
    void writing_commits_and_a_failure_undoes_all_of_it() {
        connections.write("t", c -> execute(c, "INSERT INTO t VALUES (7, NULL)"));
        assertThatThrownBy(() -> connections.write("t", c -> {
                    execute(c, "DELETE FROM t");
                    throw new IllegalStateException("changed my mind");
                }))
                .hasMessage("changed my mind");
        assertThat(one("SELECT count(*) FROM t")).isEqualTo("1");
        connections.write("t", c -> execute(c, "DELETE FROM t"));
    }

    @Test
    void a_constraint_checked_at_the_end_is_the_statements_fault() {
        assertFails(
                () -> connections.write("t", c -> execute(c, "INSERT INTO t VALUES (1, 99)")),
                Fault.CONSTRAINT,
                "foreign key",
                "23503");
        assertThat(one("SELECT count(*) FROM t")).isEqualTo("0");
    }

    @Test
    void what_a_written_statement_sets_is_gone_for_the_next() {
        connections.write("t", c -> execute(c, """
                SET search_path = pg_catalog; SET work_mem = '3MB'; CREATE TEMP TABLE mine (x int);
                SELECT pg_advisory_lock(7)"""));
        assertThat(one("SHOW work_mem")).isNotEqualTo("3MB");
        assertThat(one("SHOW search_path")).contains("public");
        assertThat(one("SELECT to_regclass('mine') IS NULL")).isEqualTo("t");
        assertThat(one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
                .isEqualTo("0");
        assertThat(sessions()).isEqualTo(1);
    }

    @Test
    void a_statement_is_ended_at_its_limit_by_the_server() {
        PostgresConnections hasty = new PostgresConnections(config(1, Duration.ofSeconds(5), Duration.ofMillis(200)));
        try (hasty) {
            assertFails(() -> hasty.read("t", c -> execute(c, "SELECT pg_sleep(50)")), Fault.SOURCE_TIMEOUT, "57014");
            assertThat(hasty.<String>read("t", c -> text(c, "SELECT 'still here'")))
                    .isEqualTo("still here");
        }
    }

    @Test
    void values_are_read_in_one_form_whatever_the_roles_defaults() {
        postgres.execute("ALTER DATABASE " + postgres.database() + " SET DateStyle = 'German'");
        postgres.execute("ALTER DATABASE " + postgres.database() + " SET IntervalStyle = 'postgres_verbose'");
        assertThat(one("SELECT '2024-02-03 04:05:06+02'::timestamptz")).isEqualTo("2024-02-03 02:05:06+00");
        assertThat(one("SELECT '1 day 2 hours'::interval")).isEqualTo("P1DT2H");
    }

    @Test
    void nothing_stays_behind_after_failures_of_all_kinds() {
        for (int i = 0; i < 5; i++) {
            assertFails(() -> one("SELECT 1/0"), Fault.SOURCE_FAILED, "division by zero");
            assertFails(() -> one("SELECT * FROM nothing"), Fault.SOURCE_TABLE_MISSING, "nothing");
            assertFails(() -> one("SELECT nothing FROM t"), Fault.SOURCE_COLUMN_MISSING, "nothing");
            assertThatThrownBy(() -> connections.read("t", _ -> {
                        throw new IllegalStateException("ours");
                    }))
                    .hasMessage("ours");
            assertThatThrownBy(() -> connections.read("t", PostgresConnectionsTest::halfReadCopy))
                    .hasMessage("half read");
            assertFails(
                    () -> connections.read("t", PostgresConnectionsTest::killMyself),
                    Fault.SOURCE_UNREACHABLE,
                    "57P01");
        }
        assertThat(one("SELECT 'fine'")).isEqualTo("fine");
        await().until(() -> sessions() == 1);
    }

    @Test
    void a_session_that_died_while_idle_does_no_harm() {
        assertThat(one("SELECT 1")).isEqualTo("1");
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perigee'");
        await().until(() -> sessions() == 0);
        // One that was used a moment ago is given out unchecked: the first call may fail, by its right name.
        await().until(() -> {
            try {
                return one("SELECT 'again'").equals("again");
            } catch (PerigeeException e) {
                assertThat(e.fault()).isEqualTo(Fault.SOURCE_UNREACHABLE);
                return false;
            }
        });
    }

    @Test
    void when_all_are_in_use_the_message_says_so_and_how_many() throws Exception {
        CountDownLatch isHeld = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        PostgresConnections small = new PostgresConnections(config(1, Duration.ofMillis(100), Duration.ZERO));
        try (small) {
            CompletableFuture<String> holder = CompletableFuture.supplyAsync(() -> small.read("t", c -> {
                isHeld.countDown();
                awaitQuietly(mayEnd);
                return text(c, "SELECT 'held'");
            }));
            isHeld.await();
            assertFails(
                    () -> small.read("t", c -> text(c, "SELECT 1")), Fault.SOURCE_BUSY, "all 1 connections", "in use");
            mayEnd.countDown();
            assertThat(holder.get()).isEqualTo("held");
        }
    }

    @Test
    void many_callers_share_few_sessions() {
        CompletableFuture<?>[] calls = new CompletableFuture<?>[40];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = CompletableFuture.runAsync(() -> one("SELECT pg_sleep(0.01)"));
        }
        CompletableFuture.allOf(calls).join();
        assertThat(sessions()).isBetween(1, 2);
    }

    @Test
    void a_server_that_is_not_there_is_reported_with_its_place() {
        assertUnreachable(unreachable(), Fault.SOURCE_UNREACHABLE, "refused", "08001");
    }

    @Test
    void a_host_that_does_not_exist_is_reported_by_name() {
        SourceConfig c = postgres.config();
        assertUnreachable(
                with(c, "no-such-host.invalid", c.port(), c.user(), c.database()),
                Fault.SOURCE_UNREACHABLE,
                "no-such-host.invalid");
    }

    @Test
    void a_database_that_does_not_exist_is_reported_by_name() {
        SourceConfig c = postgres.config();
        assertUnreachable(
                with(c, c.host(), c.port(), c.user(), "nowhere"),
                Fault.SOURCE_UNREACHABLE,
                "\"nowhere\" does not exist",
                "3D000");
    }

    @Test
    void a_user_that_does_not_exist_is_reported_by_name() {
        SourceConfig c = postgres.config();
        assertUnreachable(with(c, c.host(), c.port(), "nobody_here", c.database()), Fault.SOURCE_AUTH, "nobody_here");
    }

    @Test
    void a_server_that_accepts_and_says_nothing_is_given_up_after_the_connect_timeout() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            SourceConfig c = config(2, Duration.ofSeconds(1), Duration.ofSeconds(30));
            assertUnreachable(
                    with(c, "127.0.0.1", silent.getLocalPort(), c.user(), c.database()), Fault.SOURCE_UNREACHABLE);
        }
    }

    @Test
    void what_a_server_refuses_is_remembered_until_another_server_answers() {
        Capabilities can = connections.capabilities();
        assertThat(connections.<Boolean>read("t", c -> can.answers(c, "only_later()")))
                .isFalse();
        postgres.execute("CREATE FUNCTION only_later() RETURNS int LANGUAGE sql AS 'SELECT 1'");
        can.are("a server");
        assertThat(connections.<Boolean>read("t", c -> can.answers(c, "only_later()")))
                .isTrue();
        postgres.execute("DROP FUNCTION only_later()");
        can.are("a server");
        assertThat(connections.<Boolean>read("t", c -> can.answers(c, "only_later()")))
                .isTrue();
        can.are("another server");
        assertThat(connections.<Boolean>read("t", c -> can.answers(c, "only_later()")))
                .isFalse();
    }

    @Test
    void a_pooler_that_refuses_a_parameter_is_told_with_the_setting_that_takes_it() throws IOException {
        try (ServerSocket pooler = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> refusing(pooler, "unsupported startup parameter: options", "08P01"));
            SourceConfig c = config(2, Duration.ofSeconds(5), Duration.ofSeconds(30));
            assertUnreachable(
                    with(c, "127.0.0.1", pooler.getLocalPort(), c.user(), c.database()),
                    Fault.SOURCE_UNREACHABLE,
                    "unsupported startup parameter: options",
                    "`ignore_startup_parameters`");
        }
    }

    @Test
    void a_pooler_that_refuses_a_login_is_told_as_one_and_not_as_an_outage() throws IOException {
        try (ServerSocket pooler = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> refusing(pooler, "password authentication failed", "08P01"));
            SourceConfig c = config(2, Duration.ofSeconds(5), Duration.ofSeconds(30));
            assertUnreachable(
                    with(c, "127.0.0.1", pooler.getLocalPort(), c.user(), c.database()),
                    Fault.SOURCE_AUTH,
                    "password authentication failed");
        }
    }

    /// 2001:db8::/32 is nobody's.
    @Test
    void a_host_with_ipv6_addresses_only_that_does_not_answer_is_said_to_be_one() {
        SourceConfig c = config(2, Duration.ofSeconds(1), Duration.ofSeconds(30));
        assertUnreachable(
                with(c, "2001:db8::1", 5432, c.user(), c.database()),
                Fault.SOURCE_UNREACHABLE,
                "IPv6 addresses only",
                "pooler.supabase.com");
    }

    /// Answers each login with an error, as a pooler does before it asks any server.
    private static void refusing(ServerSocket listener, String message, String state) {
        byte[] fields = ("SFATAL\0VFATAL\0C%s\0M%s\0\0".formatted(state, message)).getBytes(StandardCharsets.UTF_8);
        while (!listener.isClosed()) {
            try (Socket client = listener.accept()) {
                DataInputStream in = new DataInputStream(client.getInputStream());
                DataOutputStream out = new DataOutputStream(client.getOutputStream());
                int length = in.readInt();
                if (length == 8) { // no login is as short: it asks for TLS
                    in.skipNBytes(4);
                    out.writeByte('N');
                    length = in.readInt();
                }
                in.skipNBytes(length - 4L);
                out.writeByte('E');
                out.writeInt(4 + fields.length);
                out.write(fields);
                out.flush();
            } catch (IOException e) {
                // The client or the test has gone.
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void after_closing_it_says_that_it_is_closed(boolean isReadOnly) {
        connections.close();
        assertFails(
                () -> {
                    if (isReadOnly) connections.read("t", c -> text(c, "SELECT 1"));
                    else connections.write("t", c -> text(c, "SELECT 1"));
                },
                Fault.CLOSED);
    }

    @Test
    void detail_of_the_server_is_not_told_because_it_holds_values() {
        connections.write("t", c -> execute(c, "INSERT INTO t VALUES (4711, NULL)"));
        assertThatThrownBy(() -> connections.write("t", c -> execute(c, "INSERT INTO t VALUES (4711, NULL)")))
                .hasMessageContaining("duplicate key")
                .hasMessageNotContaining("4711")
                .satisfies(e -> assertThat(String.valueOf(e.getCause())).doesNotContain("4711"));
        connections.write("t", c -> execute(c, "DELETE FROM t"));
    }

    private static SourceConfig config(int maxConnections, Duration connect, Duration statement) {
        SourceConfig c = postgres.config();
        return new SourceConfig(
                c.type(),
                c.host(),
                c.port(),
                c.user(),
                c.password(),
                c.database(),
                c.defaultSchema(),
                Map.of(),
                new SourceConfig.Limits(maxConnections, connect, statement));
    }

    private static SourceConfig with(SourceConfig c, String host, int port, String user, String database) {
        return new SourceConfig(
                c.type(),
                host,
                port,
                user,
                c.password(),
                database,
                c.defaultSchema(),
                c.options(),
                new SourceConfig.Limits(
                        c.limits().maxConnections(),
                        c.limits().connectTimeout(),
                        c.limits().statementTimeout()));
    }

    /// A port nobody listens on: it was free a moment ago.
    private static SourceConfig unreachable() {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            SourceConfig c = postgres.config();
            return with(c, c.host(), taken.getLocalPort(), c.user(), c.database());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void assertUnreachable(SourceConfig config, Fault fault, String... mentioned) {
        try (PostgresConnections other = new PostgresConnections(config)) {
            assertFails(() -> other.read("t", c -> text(c, "SELECT 1")), fault, mentioned);
        }
    }

    private static void assertFails(Runnable call, Fault fault, String... mentioned) {
        assertThatThrownBy(call::run).isInstanceOfSatisfying(PerigeeException.class, e -> {
            assertThat(e.fault()).as(e.getMessage()).isEqualTo(fault);
            for (String part : mentioned) assertThat(e.getMessage()).contains(part);
        });
    }

    private String one(String sql) {
        return connections.read("t", c -> text(c, sql));
    }

    private static String text(Connection c, String sql) throws SQLException {
        try (Statement statement = c.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    private static boolean execute(Connection c, String sql) throws SQLException {
        try (Statement statement = c.createStatement()) {
            return statement.execute(sql);
        }
    }

    private static String halfReadCopy(org.postgresql.jdbc.PgConnection session) throws SQLException {
        CopyOut copy = session.getCopyAPI().copyOut("COPY (SELECT generate_series(1, 1000000)) TO STDOUT");
        copy.readFromCopy();
        throw new IllegalStateException("half read");
    }

    private static String killMyself(Connection c) throws SQLException {
        return text(c, "SELECT pg_terminate_backend(pg_backend_pid())");
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Sessions of ours in this database, without the one that asks.
    private static int sessions() {
        try (Connection c = postgres.connect()) {
            return Integer.parseInt(text(c, """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'perigee'"""));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
