package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.sqlite.SqliteConnection;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A second read-only connection of a reader's thread, opened when it is first asked for. Its temporary views are seen
/// by no other statement. For the thread that owns it.
final class Apart implements AutoCloseable {
    private final Path file;
    private final StoreConfig config;
    private final TimeGuard guard;
    private @Nullable SqliteConnection connection;

    /// @param guard interrupts it together with the reader's own connection
    Apart(Path file, StoreConfig config, TimeGuard guard) {
        this.file = file;
        this.config = config;
        this.guard = guard;
    }

    /// The connection, in a read transaction that [#end] closes.
    SqliteConnection begin() {
        SqliteConnection open = connection;
        if (open == null) {
            open = Connections.apart(file, config);
            connection = open;
            guard.also(open);
        }
        if (open.isAutocommit()) open.exec("BEGIN");
        return open;
    }

    /// Keeps the temporary views that were made meanwhile; there is nothing else to keep.
    void end() {
        if (connection != null && !connection.isAutocommit()) connection.exec("COMMIT");
    }

    @Override
    public void close() {
        if (connection != null) connection.close();
    }
}
