package dev.perigee.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// One real server of the demo's own, through its whole life: made, filled, written to, killed, started again.
class DemoPostgresTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path dir;

    @Test
    void the_shop_survives_a_kill_and_its_long_transactions_commit_behind_others() throws Exception {
        long rows;
        try (DemoFolder folder = DemoFolder.open(dir)) {
            DemoPostgres first = DemoPostgres.start(folder);
            assertThat(first.product()).startsWith("PostgreSQL 1");
            try (Connection connection = first.connect()) {
                assertThat(Shop.isOpen(connection)).isFalse();
                Shop.open(connection);
                assertThat(Shop.isOpen(connection)).isTrue();
                assertThat(Shop.rows(connection)).isBetween(95_000L, 110_000L);
                assertThat(text(connection, "SHOW fsync")).isEqualTo("on");
                assertThat(text(connection, "SHOW wal_level")).isEqualTo("logical");
            }
            stampsAreTakenEarly(first);
            everybodyWrites(first);
            rows = rows(first);
            kill(folder);
        }
        try (DemoFolder folder = DemoFolder.open(dir)) {
            try (DemoPostgres second = DemoPostgres.start(folder)) {
                assertThat(rows(second)).isEqualTo(rows);
                // A run whose own process was killed leaves its server behind; the next start ends it.
                try (DemoPostgres third = DemoPostgres.start(folder)) {
                    assertThat(rows(third)).isEqualTo(rows);
                }
                assertThat(PostgresCluster.in(folder).runningProcess()).isEmpty();
            }
        }
    }

    @Test
    void a_second_demo_on_the_same_folder_is_refused_by_name() {
        try (DemoFolder held = DemoFolder.open(dir)) {
            assertThat(held.path()).isDirectory();
            assertThatThrownBy(() -> DemoFolder.open(dir))
                    .isInstanceOfSatisfying(
                            PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.REPLICA_LOCKED))
                    .hasMessageContaining("process " + ProcessHandle.current().pid());
        }
    }

    @Test
    void secrets_are_kept_and_nobody_else_reads_them() throws Exception {
        String secret;
        try (DemoFolder folder = DemoFolder.open(dir)) {
            secret = folder.secret("admin-token");
        }
        try (DemoFolder folder = DemoFolder.open(dir)) {
            assertThat(folder.secret("admin-token")).isEqualTo(secret).hasSizeGreaterThanOrEqualTo(32);
            assertThat(folder.secret("another")).isNotEqualTo(secret);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(dir.resolve("admin-token"))))
                    .isEqualTo("rw-------");
        }
    }

    /// The long transaction begins first and commits last, with a stamp below one that was committed before: what a
    /// plain poller loses.
    private static void stampsAreTakenEarly(DemoPostgres postgres) throws SQLException {
        try (Connection slow = postgres.connect();
                Connection quick = postgres.connect()) {
            slow.setAutoCommit(false);
            execute(slow, "UPDATE orders SET note = 'slow' WHERE id = 1");
            execute(quick, "UPDATE orders SET note = 'quick' WHERE id = 2");
            String seen = text(quick, "SELECT max(updated_at) FROM orders");
            slow.commit();
            assertThat(text(quick, "SELECT count(*) FROM orders WHERE updated_at > '" + seen + "'"))
                    .isEqualTo("0");
        }
    }

    private static void everybodyWrites(DemoPostgres postgres) throws SQLException {
        long before = rows(postgres);
        Traffic traffic = Traffic.start(postgres, 7);
        try (traffic) {
            await().atMost(PATIENCE).until(() -> traffic.longTransactions() >= 1 && traffic.transactions() >= 30);
        }
        long after = rows(postgres);
        assertThat(after).isGreaterThan(before);
        try (Connection connection = postgres.connect()) {
            for (String kind : new String[] {"page_view", "checkout", "phone_order"}) {
                assertThat(text(connection, "SELECT count(*) FROM events WHERE kind = '" + kind + "' AND id > 20000"))
                        .as(kind)
                        .isNotEqualTo("0");
            }
            assertThat(text(connection, "SELECT count(*) > 0 FROM orders WHERE id > 20000 AND status <> 'new'"))
                    .isEqualTo("t");
            assertThat(text(connection, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%shop'"))
                    .as("connections after the traffic's end")
                    .isEqualTo("1");
        }
    }

    /// The postmaster and its children, by their numbers.
    private static void kill(DemoFolder folder) {
        ProcessHandle postmaster = PostgresCluster.in(folder).runningProcess().orElseThrow();
        Stream<ProcessHandle> all = Stream.concat(Stream.of(postmaster), postmaster.descendants().toList().stream());
        all.toList().forEach(ProcessHandle::destroyForcibly);
        await().atMost(PATIENCE).until(() -> !postmaster.isAlive());
        assertThat(folder.cluster().resolve("postmaster.pid")).exists();
    }

    private static long rows(DemoPostgres postgres) throws SQLException {
        try (Connection connection = postgres.connect()) {
            return Shop.rows(connection);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return String.valueOf(result.getString(1));
        }
    }
}
