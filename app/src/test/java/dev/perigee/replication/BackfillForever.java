package dev.perigee.replication;

import dev.perigee.source.Source;
import dev.perigee.source.postgres.PostgresSource;
import dev.perigee.testing.TestPostgres;
import java.io.IOException;
import java.nio.file.Path;

/// The child of [BackfillTest]: a server whose schedule does not run. It begins a backfill and says what happens as a
/// listener hears it, until it is killed.
final class BackfillForever {
    private BackfillForever() {}

    /// @param args the data folder, PostgreSQL's port, its database
    public static void main(String[] args) throws IOException {
        Source source = new PostgresSource(TestPostgres.config(Integer.parseInt(args[1]), args[2]));
        TestHost host = TestHost.idle(Path.of(args[0]), source, BackfillTest.table("t"));
        Thread.ofVirtual()
                .start(() -> host.post("/tables/t/backfill?wait=false", "").result());
        host.respond("GET", "/events", "").body().writeTo(System.out);
    }
}
