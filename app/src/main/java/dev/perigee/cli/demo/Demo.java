package dev.perigee.cli.demo;

import dev.perigee.Perigee;
import dev.perigee.cli.args.Exit;
import dev.perigee.config.BundledConfig;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.QueryConfig;
import dev.perigee.config.ReplicationConfig;
import dev.perigee.config.ServeConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.StudioConfig;
import dev.perigee.fault.Fault;
import dev.perigee.replication.ReplicationPlugin;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// One run of the demo: a PostgreSQL with a shop and its simulated users, and a Perigee that replicates it.
final class Demo {
    private static final String TOKEN = "admin-token";
    private static final String STUDIO = "studio-password";
    private static final String STUDIO_USER = "demo";
    private static final Duration REDRAW = Duration.ofMillis(500);
    private static final Duration PLAIN_LINE = Duration.ofSeconds(5);

    private final Screen screen;
    private final StopSignal stop;

    Demo(Screen screen, StopSignal stop) {
        this.screen = screen;
        this.stop = stop;
    }

    /// @param time how long the shop is open; empty until asked to stop
    /// @return the exit code
    int run(DemoFolder folder, int port, Optional<Duration> time) throws SQLException, InterruptedException {
        refuseTakenPort(port);
        screen.say("Starting PostgreSQL in " + folder.path());
        try (DemoPostgres postgres = DemoPostgres.start(folder)) {
            fill(postgres);
            if (stop.isAsked()) return stopped();
            try (Perigee perigee = Perigee.open(config(folder, port, postgres))) {
                ReplicationPlugin replication = perigee.replication().orElseThrow();
                greet(perigee.port(), folder);
                try (Traffic traffic = Traffic.start(postgres, System.nanoTime())) {
                    watch(replication, traffic, time);
                }
                if (stop.isAsked()) return stopped();
                return compare(perigee, replication, postgres);
            }
        }
    }

    private int stopped() {
        screen.say("Stopping.");
        return Exit.OK;
    }

    /// Refuses a port that is in use before a PostgreSQL is started for nothing. The server itself checks again.
    private static void refuseTakenPort(int port) {
        if (port == 0) return;
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
            if (socket.getLocalPort() != port) throw new IllegalStateException("bound to another port than asked for");
        } catch (IOException e) {
            throw Fault.CONFIG_INVALID.in(
                    "--port",
                    "port %d of 127.0.0.1 cannot be used (%s); another program may have it"
                            .formatted(port, e.getMessage()),
                    "Nothing was started",
                    "choose another port, or 0 for a free one",
                    e);
        }
    }

    private void fill(DemoPostgres postgres) throws SQLException {
        try (Connection connection = postgres.connect()) {
            if (!Shop.isOpen(connection)) {
                screen.say("Filling a shop: customers, products, orders, order_items, events");
                Shop.open(connection);
            }
            screen.say(
                    String.format(Locale.ROOT, "%s has a shop of %,d rows", postgres.product(), Shop.rows(connection)));
        }
    }

    private void greet(int port, DemoFolder folder) {
        screen.say("");
        screen.say("  Page      http://127.0.0.1:%d/".formatted(port));
        screen.say("  Token     " + folder.secret(TOKEN));
        screen.say("  Studio    http://127.0.0.1:%d/studio   user %s, password %s"
                .formatted(port, STUDIO_USER, folder.secret(STUDIO)));
        screen.say("  Replica   " + folder.replica().resolve(StoreConfig.FILE_NAME));
        screen.say("  Query     curl -s http://127.0.0.1:%d/query -H 'Authorization: Bearer %s' \\"
                .formatted(port, folder.secret(TOKEN)));
        screen.say("              -H 'Content-Type: application/json' \\");
        screen.say("              -d '{\"sql\": \"SELECT status, count(*) AS n FROM orders GROUP BY status\"}'");
        screen.say("");
    }

    /// Shows the tables until time is up or somebody asks to stop.
    private void watch(ReplicationPlugin replication, Traffic traffic, Optional<Duration> time)
            throws InterruptedException {
        LiveTable table = new LiveTable();
        Instant end = time.map(Instant.now()::plus).orElse(Instant.MAX);
        Duration pause = screen.redraws() ? REDRAW : PLAIN_LINE;
        while (!stop.isAsked() && Instant.now().isBefore(end)) {
            Instant now = Instant.now();
            if (screen.redraws()) {
                List<String> lines = new ArrayList<>(table.lines(replication.status(), now));
                lines.add("");
                lines.add(String.format(
                        Locale.ROOT,
                        "%,d transactions, %,d kept open for seconds. Ctrl-C stops everything.",
                        traffic.transactions(),
                        traffic.longTransactions()));
                screen.draw(lines);
            } else {
                screen.say(table.summary(replication.status(), now));
            }
            Duration left = Duration.between(now, end);
            stop.await(left.compareTo(pause) < 0 ? left : pause);
        }
    }

    /// Called when the shop is closed. Syncs once more, then compares every row: nothing may differ.
    private int compare(Perigee perigee, ReplicationPlugin replication, DemoPostgres postgres) {
        screen.say("");
        screen.say("The shop is closed. Syncing once more, then comparing every value of every row.");
        boolean isSynced = true;
        // The first call may join syncs that are already running, whose snapshots are older than the shop's last
        // commit.
        List<SyncResult> _ = replication.syncAllTables().join();
        for (SyncResult result : replication.syncAllTables().join()) {
            if (result.succeeded()) continue;
            isSynced = false;
            result.error().ifPresent(error -> screen.say("%s: %s".formatted(result.table(), error.message())));
        }
        long differences = 0;
        screen.say("%-12s %12s %12s %12s".formatted("TABLE", "SOURCE", "COPY", "DIFFERENCES"));
        try (Source source = new PostgresSource(postgres.source())) {
            for (Shop.Table table : Shop.TABLES) {
                DemoComparison.Result result = DemoComparison.of(table, source, perigee.store());
                differences += result.differences();
                screen.say(String.format(
                        Locale.ROOT,
                        "%-12s %,12d %,12d %,12d",
                        result.table(),
                        result.sourceRows(),
                        result.copyRows(),
                        result.differences()));
            }
        }
        boolean isEqual = isSynced && differences == 0;
        screen.say(isEqual ? "The copy equals the source." : "The copy differs from the source.");
        return isEqual ? Exit.OK : Exit.FAILED;
    }

    private static ReplicationConfig replicated() {
        ReplicationConfig standard = ReplicationConfig.defaults();
        return new ReplicationConfig(
                Shop.TABLES.stream().map(Shop.Table::config).toList(),
                standard.parallelTables(),
                standard.keepRuns(),
                standard.retryFirst(),
                standard.retryMax());
    }

    private static PerigeeConfig config(DemoFolder folder, int port, DemoPostgres postgres) {
        StudioConfig studio = new StudioConfig(Optional.of(STUDIO_USER), Optional.of(folder.secret(STUDIO)));
        return new PerigeeConfig(
                StoreConfig.of(folder.replica()),
                ServeConfig.of(port, folder.secret(TOKEN)),
                QueryConfig.defaults(),
                Optional.of(postgres.source()),
                replicated(),
                BundledConfig.DEFAULTS.with(studio));
    }
}
