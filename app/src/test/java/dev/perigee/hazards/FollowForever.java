package dev.perigee.hazards;

import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.replication.sync.SyncListener;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.store.Store;
import dev.perigee.testing.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;

/// The child of [KillTest]: syncs the table `t` again and again, says `PAGE` after each committed page and `SYNC` after
/// each sync, and stops only by being killed.
final class FollowForever {
    private FollowForever() {}

    static TableConfig table() {
        return TableConfig.of("t", "c", Duration.ofHours(1)).toBuilder()
                .pageRows(20)
                .build();
    }

    static SyncResult sync(Store store, Source source, SyncListener listener) {
        return new TableSync(store, source).run(table(), listener);
    }

    /// @param args the data folder, PostgreSQL's port, its database
    public static void main(String[] args) {
        Store store = Store.open(StoreConfig.of(Path.of(args[0])));
        Source source = new PostgresSource(TestPostgres.config(Integer.parseInt(args[1]), args[2]));
        TableSync sync = new TableSync(store, source);
        while (true) {
            SyncResult result = sync.run(table(), (_, progress) -> System.out.println("PAGE " + progress.rows()));
            System.out.println("SYNC " + result);
        }
    }
}
