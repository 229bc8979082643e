package dev.perigee.store;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;

/// Creates files and folders that only their owner may use. A replica holds data that its source shows to some people
/// only.
///
/// Existing files and folders keep their permissions. Where the file system has no POSIX permissions, as on Windows,
/// the folder's own rules apply.
final class OwnerOnlyFiles {
    private static final FileAttribute<?> FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<?> FOLDER =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private OwnerOnlyFiles() {}

    /// Creates the folder and its missing parents; does nothing if it exists.
    static Path folder(Path folder) throws IOException {
        return Files.createDirectories(folder, attributes(folder, FOLDER));
    }

    /// Creates an empty file; does nothing if it exists. SQLite treats an empty file as a new database, and gives its
    /// WAL the same permissions.
    static void file(Path file) throws IOException {
        try {
            Files.createFile(file, attributes(file, FILE));
        } catch (FileAlreadyExistsException _) {
            // It exists, from an earlier start or made by the user.
        }
    }

    private static FileAttribute<?>[] attributes(Path path, FileAttribute<?> wanted) {
        boolean isPosix = path.getFileSystem().supportedFileAttributeViews().contains("posix");
        return isPosix ? new FileAttribute<?>[] {wanted} : new FileAttribute<?>[0];
    }
}
