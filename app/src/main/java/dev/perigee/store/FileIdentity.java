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

/// Which file it was that was opened, by its inode. A file that is removed or replaced stays open and takes writes, and
/// all of them are gone with the process.
///
/// @param key null where the file system has no such thing; then only a removal is noticed
record FileIdentity(Path file, @Nullable Object key) {
    static FileIdentity of(Path file) {
        try {
            return new FileIdentity(file, key(file));
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in("replica " + file, "it cannot be looked at: " + e, "Nothing was opened", e);
        }
    }

    /// Asks the file system whether the name still leads to that file. It opens nothing: closing what it opened would
    /// drop SQLite's locks.
    ///
    /// @return [Fault#REPLICA_LOST] where it does not
    Optional<PerigeeException> lost() {
        try {
            if (Objects.equals(key, key(file))) return Optional.empty();
        } catch (IOException e) {
            // Told below, as a file that is another one.
        }
        return Optional.of(
                Fault.REPLICA_LOST.in(
                        "replica " + file,
                        "the file was removed, moved or replaced while Perigee has it open",
                        "Nothing is written any more, since it would be gone with this process; reads still see what was there"));
    }

    private static @Nullable Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }
}
