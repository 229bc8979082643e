package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// The child of [LogCrashTest]: follows the log, says `UP` when it has begun and `AT` when it has applied something,
/// and stops only by being killed.
final class LogForever {
    private LogForever() {}

    private static String applied(TestHost host) {
        boolean isStarted =
                host.value("SELECT count(*) FROM tmp_replication_log_tables").equals("4");
        return isStarted ? host.value("SELECT n FROM sums") : "";
    }

    /// @param args the data folder, PostgreSQL's port, its database
    public static void main(String[] args) throws InterruptedException {
        PostgresSource source = new PostgresSource(TestPostgres.config(Integer.parseInt(args[1]), args[2]));
        TestHost host =
                TestHost.started(Path.of(args[0]), source, LogCrashTest.tables().toArray(TableConfig[]::new));
        System.out.println("UP now");
        String last = "";
        while (true) {
            String now = applied(host);
            if (!now.equals(last)) System.out.println("AT " + now);
            last = now;
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }
}
