package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import java.time.Duration;
import java.util.function.LongSupplier;

/// The read transaction of one connection, shared by successive reads as long as nothing is committed. Beginning a
/// transaction costs two locks on the file and a look at the WAL, as much as a read by key itself.
///
/// A read sees every commit acknowledged before it began, because the number of commits is compared first. A commit by
/// another process is seen after at most [#MAX_AGE]. Used only by the thread that has the connection.
final class SharedRead {
    /// How long a transaction is shared. An older one would keep the WAL from being emptied and hide commits of other
    /// processes.
    private static final Duration MAX_AGE = Duration.ofMillis(20);

    private final SqliteConnection connection;
    private final LongSupplier commits;
    private long commitsAtBegin;
    private long beganNanos;

    /// @param commits how many transactions the writer has committed; it grows before any caller is told of a commit
    SharedRead(SqliteConnection connection, LongSupplier commits) {
        this.connection = connection;
        this.commits = commits;
    }

    /// Makes sure that a transaction is open that sees everything acknowledged so far.
    void begin() {
        long now = System.nanoTime();
        if (!connection.isAutocommit()) {
            if (commits.getAsLong() == commitsAtBegin && now - beganNanos < MAX_AGE.toNanos()) return;
            end();
        }
        beganNanos = now;
        commitsAtBegin = commits.getAsLong();
        connection.exec("BEGIN");
    }

    /// Ends the transaction if it is too old to be shared.
    void endIfOld() {
        if (System.nanoTime() - beganNanos >= MAX_AGE.toNanos()) end();
    }

    /// Ends the transaction, if one is open; an error may have ended it already. ROLLBACK is enough, because there is
    /// nothing to keep.
    void end() {
        if (!connection.isAutocommit()) connection.exec("ROLLBACK");
    }
}
