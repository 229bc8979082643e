package dev.perigee.bundled.transfer;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.UUID;
import java.util.stream.Stream;

/// A copy of the replica as it stood when the export began, in the data folder until it is closed. A slow client holds
/// up neither checkpoints nor readers, because its answer comes from this file.
final class ExportFile implements AutoCloseable {
    private static final String FOLDER = "exports";

    private final Path file;

    private ExportFile(Path file) {
        this.file = file;
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#DISK_FULL] and other faults of the disk; no file is left then
    static ExportFile of(Store store) {
        Path folder = folder(store);
        Path file = folder.resolve(UUID.randomUUID() + ".db");
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(
                    "export", folder + " could not be created: " + e.getMessage(), "Nothing was exported", e);
        }
        store.backup(file);
        return new ExportFile(file);
    }

    /// Removes the files left by a process that died during an export.
    static void clear(Store store) {
        Path folder = folder(store);
        if (!Files.isDirectory(folder)) return;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path left : files.toList()) Files.delete(left);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path path() {
        return file;
    }

    SqliteConnection open() {
        return SqliteConnection.open(file, EnumSet.of(OpenFlag.READONLY));
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path folder(Store store) {
        return store.file().resolveSibling(FOLDER);
    }
}
