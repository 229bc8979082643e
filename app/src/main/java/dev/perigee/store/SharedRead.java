package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import java.time.Duration;
import java.util.function.LongSupplier;

/// The read transaction of a reader's connection, which reads that follow each other share while nothing is committed:
/// beginning one costs two locks on the file and a look at the WAL, as much as a read by key itself.
///
/// A read sees every commit that was acknowledged before it began: the count of commits is looked at first. Another
/// process that writes to the file is seen after [#MAX_AGE]. For the thread that owns the connection.
final class SharedRead {
    /// How long a transaction is shared; past it the WAL could not be emptied, nor another process be seen.
    private static final Duration MAX_AGE = Duration.ofMillis(20);

    private final SqliteConnection connection;
    private final LongSupplier commits;
    private long commitsAtBegin;
    private long beganNanos;

    /// @param commits how many transactions the writer has committed, counted before anybody is told of them
    SharedRead(SqliteConnection connection, LongSupplier commits) {
        this.connection = connection;
        this.commits = commits;
    }

    /// A transaction is open after this, and shows what is committed now.
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

    /// Closes it if nobody may share it any more.
    void endIfOld() {
        if (System.nanoTime() - beganNanos >= MAX_AGE.toNanos()) end();
    }

    /// Closes it. There is nothing to keep, and an error may have closed it already.
    void end() {
        if (!connection.isAutocommit()) connection.exec("ROLLBACK");
    }
}
