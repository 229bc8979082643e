package dev.perigee.store;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/// New files and folders that only their owner may use: a replica holds what its source lets only some people see.
///
/// What is there already keeps the permissions somebody gave it. Where the file system knows none of this kind, as on
/// Windows, the folder's own rules hold.
final class OwnerOnlyFiles {
    private static final FileAttribute<?> FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<?> FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private OwnerOnlyFiles() {}

    /// Creates a folder with those above it, where they are missing.
    static Path folder(Path folder) throws IOException {
        return Files.createDirectories(folder, attributes(folder, FOLDER));
    }

    /// Creates an empty file, where it is missing. SQLite takes an empty file for a new database, and gives its WAL the
    /// same permissions.
    static void file(Path file) throws IOException {
        try {
            Files.createFile(file, attributes(file, FILE));
        } catch (FileAlreadyExistsException _) {
            // Somebody's, or of an earlier start.
        }
    }

    private static FileAttribute<?>[] attributes(Path path, FileAttribute<?> wanted) {
        boolean isPosix = path.getFileSystem().supportedFileAttributeViews().contains("posix");
        return isPosix ? new FileAttribute<?>[] {wanted} : new FileAttribute<?>[0];
    }
}
