package dev.perigee.store;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Identifies the replica file that was opened, by its inode. A file that is removed or replaced stays open and accepts
/// writes, but all of them are lost when the process ends.
///
/// @param key null where the file system has no such key; then only a removal is noticed
record FileIdentity(Path file, @Nullable Object key) {
    static FileIdentity of(Path file) {
        try {
            return new FileIdentity(file, key(file));
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in("replica " + file, "it cannot be read: " + e, "Nothing was opened", e);
        }
    }

    /// Asks the file system whether the path still names the file that was opened. It does not open the file, because
    /// closing it again would drop SQLite's locks.
    ///
    /// @return [Fault#REPLICA_LOST] if it does not; empty if it does
    Optional<PerigeeException> lost() {
        try {
            if (Objects.equals(key, key(file))) return Optional.empty();
        } catch (IOException e) {
            // The file is gone: reported below, like a replaced one.
        }
        return Optional.of(
                Fault.REPLICA_LOST.in(
                        "replica " + file,
                        "the file was removed, moved or replaced while Perigee had it open",
                        "Writes are refused, because they would be lost when this process ends; reads still see the file that was opened"));
    }

    private static @Nullable Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }
}
