package dev.perigee.cli.demo;

import dev.perigee.fault.Fault;
import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/// PostgreSQL's own programs, unpacked from the archive that Maven Central has for this platform.
final class PostgresPrograms {
    private static final int NAME_BYTES = 6;

    private PostgresPrograms() {}

    /// The folder with `bin/postgres` in it. The first call unpacks it into a side folder that is then renamed, so that
    /// a run that is killed meanwhile leaves no incomplete PostgreSQL behind. Another build of PostgreSQL gets another
    /// folder.
    static Path unpackedBelow(Path parent) {
        try {
            Path folder = parent.resolve(digest());
            if (Files.isDirectory(folder)) return folder;
            Files.createDirectories(parent);
            Path side = Files.createTempDirectory(parent, "unpacking-");
            try (InputStream archive = archive()) {
                unpack(archive, side);
            }
            Files.move(side, folder);
            return folder;
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(
                    parent.toString(), "PostgreSQL's programs could not be unpacked", "Nothing was started", e);
        }
    }

    private static String digest() throws IOException {
        try (InputStream archive = archive()) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            archive.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
            return HexFormat.of().formatHex(digest.digest(), 0, NAME_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static InputStream archive() throws IOException {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String system = name.contains("win") ? "Windows" : name.contains("mac") ? "Darwin" : "Linux";
        String machine = System.getProperty("os.arch");
        try {
            return DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(system, machine);
        } catch (IllegalStateException e) {
            throw Fault.CONFIG_INVALID.in(
                    "perigee demo",
                    "this build has no PostgreSQL for %s on %s".formatted(system, machine),
                    "Nothing was started",
                    "replicate a PostgreSQL that runs elsewhere, with `perigee serve`",
                    e);
        }
    }

    private static void unpack(InputStream archive, Path folder) throws IOException {
        try (var tar = new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path target = folder.resolve(entry.getName()).normalize();
                if (!target.startsWith(folder)) throw new IOException("an entry points outside: " + entry.getName());
                unpackEntry(entry, tar, target);
            }
        }
    }

    private static void unpackEntry(TarArchiveEntry entry, InputStream content, Path target) throws IOException {
        if (entry.isDirectory()) {
            Files.createDirectories(target);
            return;
        }
        Files.createDirectories(target.toAbsolutePath().getParent());
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
            return;
        }
        if (entry.isLink()) throw new IOException("a hard link is not expected: " + entry.getName());
        Files.copy(content, target);
        boolean isProgram = (entry.getMode() & 0100) != 0;
        if (isProgram && target.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Set<PosixFilePermission> permissions = PosixFilePermissions.fromString("rwxr-xr-x");
            Files.setPosixFilePermissions(target, permissions);
        }
    }
}
