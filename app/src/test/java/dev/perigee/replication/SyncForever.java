package dev.perigee.replication;

import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.store.Store;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;

/// The child of [SyncCrashTest]: syncs one table again and again, says `PAGE rows` after each committed page, and stops
/// only by being killed or by a sync that fails.
final class SyncForever {
    private SyncForever() {}

    /// @param args the data folder, PostgreSQL's port, its database
    public static void main(String[] args) {
        TableConfig table = SyncCrashTest.table();
        Store store = Store.open(StoreConfig.of(Path.of(args[0])));
        Source source = new PostgresSource(TestPostgres.config(Integer.parseInt(args[1]), args[2]));
        TableSync sync = new TableSync(store, source);
        while (true) {
            SyncResult result = sync.run(table, (_, progress) -> {
                // Progress of 0 comes before the first page: nothing is committed yet.
                if (progress.rows() > 0) System.out.println("PAGE " + progress.rows());
            });
            // Whoever waits for a page sees the end of this process, and the reason.
            if (!result.succeeded()) throw new IllegalStateException("a sync failed: " + result.error());
            System.out.println("PAGE end");
        }
    }
}
