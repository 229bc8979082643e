package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Copies the replica while writes continue: `VACUUM INTO` reads one snapshot and writes a compact file without a WAL.
final class Backup {
    private final Path file;
    private final StoreConfig config;
    private final ReadPool pool;

    Backup(Path file, StoreConfig config, ReadPool pool) {
        this.file = file;
        this.config = config;
        this.pool = pool;
    }

    /// Writes the copy to `target` with the suffix `.part`, syncs it to disk, and then renames it. A crash leaves at
    /// most the `.part` file, which the next backup to the same target replaces.
    ///
    /// @throws PerigeeException [Fault#CONFLICT] if `target` exists, [Fault#DISK_FAILED] if it cannot be written,
    ///     [Fault#TIME_LIMIT] if the copy was ended because it kept the WAL from being emptied
    void to(Path target) {
        if (Files.exists(target)) {
            throw Fault.CONFLICT.in(
                    "backup to " + target,
                    "a file with that name already exists",
                    "It was not changed",
                    "choose another name, or remove that file first");
        }
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try {
            Files.deleteIfExists(part);
            OwnerOnlyFiles.file(part);
            copy(part);
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(part, target);
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in("backup to " + target, e.toString(), "No backup was made", e);
        }
    }

    private void copy(Path part) throws IOException {
        try (SqliteConnection connection = Connections.reader(file, config);
                SqliteStatement vacuum = connection.prepare("VACUUM INTO ?1")) {
            // `query_only` would also forbid writing the copy. The connection is opened read-only, so it cannot write
            // the replica in any case.
            connection.exec("PRAGMA query_only = OFF");
            vacuum.bindText(1, part.toString());
            TimeGuard guard = pool.register(connection);
            guard.begin(TimeGuard.NO_LIMIT);
            PerigeeException thrown = null;
            try {
                vacuum.run();
            } catch (PerigeeException e) {
                thrown = e;
            }
            TimeGuard.End end = guard.finish();
            pool.unregister(guard);
            if (thrown == null) return;
            Files.deleteIfExists(part);
            throw end == null ? thrown : end.in("backup of " + file, "No backup was made", thrown);
        }
    }
}
