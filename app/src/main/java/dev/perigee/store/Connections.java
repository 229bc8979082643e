package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteConnection.OpenFlag;
import dev.perigee.sqlite.SqliteLimit;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.function.Consumer;

/// How the replica file is opened, and with which settings.
final class Connections {
    /// How long a statement waits for another process that has the file locked.
    static final Duration BUSY_WAIT = Duration.ofSeconds(5);

    /// Of a new file. Pages of 16 KiB were 5 to 10 % faster than SQLite's 4 KiB for bulk upserts (2026-11).
    private static final int PAGE_BYTES = 16 * 1024;

    /// A reader's page cache as a part of the writer's, and its least size.
    private static final int READER_CACHE_PART = 8;

    private static final long MIN_CACHE_BYTES = 2L << 20;

    /// Instructions of a statement's program, of 24 bytes each. SQLite takes 250 million, which a chain of computed
    /// columns that each name the one before twice comes to.
    private static final int MAX_INSTRUCTIONS = 2_000_000;

    /// Of each thread that compiles statements: what is written in a megabyte of text can be nested deeper than Java's
    /// usual megabyte of stack, and SQLite would take the process with it.
    static final long STACK_BYTES = 16L << 20;

    /// What every SQLite database begins with.
    private static final byte[] HEADER = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);

    private Connections() {}

    static Path wal(Path file) {
        return file.resolveSibling(file.getFileName() + "-wal");
    }

    /// The one connection that writes.
    static SqliteConnection writer(Path file, StoreConfig config) {
        create(file);
        requireDatabase(file);
        return prepared(SqliteConnection.open(file, EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE)), connection -> {
            // Before anything else: it counts only until the file has its first page.
            connection.exec("PRAGMA page_size = " + PAGE_BYTES);
            requireWal(connection, file);
            write(connection, config);
        });
    }

    /// A connection of a worker process, which writes while the server's own connection does not.
    static SqliteConnection attachedWriter(Path file, StoreConfig config) {
        return prepared(
                SqliteConnection.open(file, EnumSet.of(OpenFlag.READWRITE)), connection -> write(connection, config));
    }

    private static void write(SqliteConnection connection, StoreConfig config) {
        // In WAL mode NORMAL loses nothing when the process dies. A power cut may take back the last commits, whole and
        // in order: rows together with the cursor that covers them, so the source is asked for them again.
        connection.exec("PRAGMA synchronous = NORMAL");
        // Tables are pulled each at its own pace: an order may well be here before its customer.
        connection.exec("PRAGMA foreign_keys = OFF");
        // Checkpoints are ours: when, how far, and against whom is decided in one place.
        connection.exec("PRAGMA wal_autocheckpoint = 0");
        connection.exec("PRAGMA cache_size = " + cacheKib(config.pageCacheBytes()));
    }

    private static void create(Path file) {
        try {
            OwnerOnlyFiles.file(file);
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in("replica " + file, "it could not be created: " + e, "Nothing was opened", e);
        }
    }

    /// A file that somebody named by mistake is no damaged replica, and not to be moved away.
    private static void requireDatabase(Path file) {
        byte[] begin;
        try (InputStream in = Files.newInputStream(file)) {
            begin = in.readNBytes(HEADER.length);
        } catch (IOException e) {
            return; // SQLite says more of it
        }
        if (begin.length == 0 || Arrays.equals(begin, HEADER)) return;
        throw Fault.REPLICA_CORRUPT.in(
                "replica " + file,
                "the file is not a database, it begins with other bytes than SQLite's",
                "It was left as it is",
                "name another file; only if this one was a replica, move it away with its -wal and -shm and start again, which loads the tables anew");
    }

    /// A connection that cannot write, whatever it is told.
    static SqliteConnection reader(Path file, StoreConfig config) {
        return prepared(SqliteConnection.open(file, EnumSet.of(OpenFlag.READONLY)), connection -> {
            connection.exec("PRAGMA query_only = ON");
            connection.exec("PRAGMA cache_size = " + cacheKib(config.pageCacheBytes() / READER_CACHE_PART));
        });
    }

    /// As [#reader], but for temporary views, which `query_only` would refuse.
    static SqliteConnection apart(Path file, StoreConfig config) {
        return prepared(
                SqliteConnection.open(file, EnumSet.of(OpenFlag.READONLY)),
                connection -> connection.exec(
                        "PRAGMA cache_size = " + cacheKib(config.pageCacheBytes() / READER_CACHE_PART)));
    }

    private static SqliteConnection prepared(SqliteConnection connection, Consumer<SqliteConnection> settings) {
        try {
            connection.busyTimeout(BUSY_WAIT);
            connection.limit(SqliteLimit.VDBE_OP, MAX_INSTRUCTIONS);
            settings.accept(connection);
            return connection;
        } catch (Throwable e) {
            connection.close();
            throw e;
        }
    }

    private static void requireWal(SqliteConnection connection, Path file) {
        try (SqliteStatement pragma = connection.prepare("PRAGMA journal_mode = WAL")) {
            String mode = pragma.step() ? pragma.textAt(0) : "none";
            if ("wal".equals(mode)) return;
            throw Fault.DISK_FAILED.in(
                    "replica " + file,
                    "its journal mode must be wal, but it stays %s (network file systems lack what WAL needs)"
                            .formatted(mode),
                    "Nothing was opened");
        }
    }

    /// SQLite reads a negative cache size as KiB.
    private static long cacheKib(long bytes) {
        return -Math.max(MIN_CACHE_BYTES, bytes) / 1024;
    }
}
