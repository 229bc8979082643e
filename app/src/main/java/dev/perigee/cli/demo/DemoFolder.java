package dev.perigee.cli.demo;

import dev.perigee.fault.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The folder where the demo keeps everything it makes: PostgreSQL's programs and data, the replica, two secrets. One
/// process at a time holds it. A second one is refused, with the id of the first in the message.
final class DemoFolder implements AutoCloseable {
    private static final int SECRET_BYTES = 24;

    private final Path path;
    private final FileChannel lockFile;
    private final SecureRandom random = new SecureRandom();

    private DemoFolder(Path path, FileChannel lockFile) {
        this.path = path;
        this.lockFile = lockFile;
    }

    /// Creates the folder if it is missing, and takes its lock.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#REPLICA_LOCKED] while another demo holds it
    static DemoFolder open(Path path) {
        try {
            createPrivateFolder(path);
            FileChannel lockFile = FileChannel.open(
                    path.resolve("demo.lock"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            if (!locked(lockFile)) {
                String holder = Files.readString(path.resolve("demo.lock")).strip();
                lockFile.close();
                throw Fault.REPLICA_LOCKED.in(
                        path.toString(),
                        "another demo uses it, process " + holder,
                        "Nothing was started",
                        "end that demo, or name another folder with --data");
            }
            lockFile.truncate(0);
            lockFile.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.UTF_8)));
            return new DemoFolder(path.toRealPath(), lockFile);
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(path.toString(), "the demo's folder cannot be used", "Nothing was started", e);
        }
    }

    /// The default folder: `perigee/demo` below the user's cache folder.
    static Path standard() {
        Path home = Path.of(System.getProperty("user.home"));
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        Path cache;
        if (system.contains("win")) {
            cache = fromEnvironment("LOCALAPPDATA", home.resolve("AppData").resolve("Local"));
        } else if (system.contains("mac")) {
            cache = home.resolve("Library").resolve("Caches");
        } else {
            cache = fromEnvironment("XDG_CACHE_HOME", home.resolve(".cache"));
        }
        return cache.resolve("perigee").resolve("demo");
    }

    Path path() {
        return path;
    }

    /// PostgreSQL's programs, one folder for each build of them.
    Path programs() {
        return path.resolve("postgres-programs");
    }

    /// PostgreSQL's data directory.
    Path cluster() {
        return path.resolve("postgres-data");
    }

    Path serverLog() {
        return path.resolve("postgres.log");
    }

    /// Perigee's data folder.
    Path replica() {
        return path.resolve("replica");
    }

    /// A random secret, made at the first call and kept in a file that only its owner can read.
    String secret(String name) {
        Path file = path.resolve(name);
        try {
            if (Files.exists(file)) return Files.readString(file).strip();
            byte[] bytes = new byte[SECRET_BYTES];
            random.nextBytes(bytes);
            String secret = HexFormat.of().formatHex(bytes);
            createPrivate(file);
            Files.writeString(file, secret + "\n");
            return secret;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path secretFile(String name) {
        secret(name);
        return path.resolve(name);
    }

    /// Releases the lock. The files stay for the next start.
    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean locked(FileChannel lockFile) throws IOException {
        try {
            return lockFile.tryLock() != null;
        } catch (OverlappingFileLockException _) {
            return false; // held by this very process
        }
    }

    private static void createPrivateFolder(Path folder) throws IOException {
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(folder);
        }
    }

    private static void createPrivate(Path file) throws IOException {
        if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } else {
            Files.createFile(file); // Windows: the cache folder is its owner's already
        }
    }

    private static Path fromEnvironment(String name, Path otherwise) {
        @Nullable String value = System.getenv(name);
        return value == null || value.isBlank() ? otherwise : Path.of(value);
    }
}
