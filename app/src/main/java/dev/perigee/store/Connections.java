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

/// Opens connections to the replica file, with their settings.
final class Connections {
    /// How long a statement waits for another process that has the file locked.
    static final Duration BUSY_WAIT = Duration.ofSeconds(5);

    /// Page size of a new replica. Pages of 16 KiB were 5 to 10 % faster than SQLite's 4 KiB for bulk upserts
    /// (2026-11).
    private static final int PAGE_BYTES = 16 * 1024;

    /// A reader's page cache is the writer's divided by this, but at least [#MIN_CACHE_BYTES].
    private static final int READER_CACHE_PART = 8;

    private static final long MIN_CACHE_BYTES = 2L << 20;

    /// Maximum number of instructions in a statement's program, 24 bytes each. SQLite's own limit is 250 million. A
    /// chain of computed columns, each naming the previous one twice, can reach that.
    private static final int MAX_INSTRUCTIONS = 2_000_000;

    /// Stack of each thread that compiles statements. A megabyte of SQL can nest deeper than Java's usual megabyte of
    /// stack allows, and SQLite's overflow would crash the process.
    static final long STACK_BYTES = 16L << 20;

    /// The first bytes of every SQLite database.
    private static final byte[] HEADER = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);

    private Connections() {}

    static Path wal(Path file) {
        return file.resolveSibling(file.getFileName() + "-wal");
    }

    /// Opens the server's one write connection. Creates the file, for its owner only, if it does not exist.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#REPLICA_CORRUPT] if the file is not a SQLite database,
    ///     [Fault#DISK_FAILED] if it cannot be created or used in WAL mode
    static SqliteConnection writer(Path file, StoreConfig config) {
        create(file);
        requireDatabase(file);
        return prepared(SqliteConnection.open(file, EnumSet.of(OpenFlag.READWRITE, OpenFlag.CREATE)), connection -> {
            // Must come first: `page_size` has an effect only until the file has its first page.
            connection.exec("PRAGMA page_size = " + PAGE_BYTES);
            requireWal(connection, file);
            write(connection, config);
        });
    }

    /// Opens the write connection of a worker process. It writes only while the server's own write connection does not.
    static SqliteConnection attachedWriter(Path file, StoreConfig config) {
        return prepared(
                SqliteConnection.open(file, EnumSet.of(OpenFlag.READWRITE)), connection -> write(connection, config));
    }

    private static void write(SqliteConnection connection, StoreConfig config) {
        // In WAL mode NORMAL loses nothing when the process dies. A power failure may undo the last commits, each as a
        // whole and latest first. Rows and the cursor that covers them go together, so the source is asked for them
        // again.
        connection.exec("PRAGMA synchronous = NORMAL");
        // Each table is pulled at its own pace, so an order may arrive before its customer.
        connection.exec("PRAGMA foreign_keys = OFF");
        // Perigee makes the checkpoints itself; see [Checkpoints].
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

    /// Refuses a file that is not a SQLite database. It was probably named by mistake, so the usual remedy for a
    /// corrupt replica, to move it away, would be wrong.
    private static void requireDatabase(Path file) {
        byte[] begin;
        try (InputStream in = Files.newInputStream(file)) {
            begin = in.readNBytes(HEADER.length);
        } catch (IOException e) {
            return; // Opening it with SQLite gives a better message.
        }
        if (begin.length == 0 || Arrays.equals(begin, HEADER)) return;
        throw Fault.REPLICA_CORRUPT.in(
                "replica " + file,
                "the file is not a SQLite database: it does not begin with SQLite's header",
                "It was not changed",
                "name another file; only if this one was a replica, move it away with its -wal and -shm and start again, which loads the tables again");
    }

    /// Opens a connection that cannot write, whatever statement it is given.
    static SqliteConnection reader(Path file, StoreConfig config) {
        return prepared(SqliteConnection.open(file, EnumSet.of(OpenFlag.READONLY)), connection -> {
            connection.exec("PRAGMA query_only = ON");
            connection.exec("PRAGMA cache_size = " + cacheKib(config.pageCacheBytes() / READER_CACHE_PART));
        });
    }

    /// As [#reader], but allows temporary views, which `query_only` would refuse.
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
                    "its journal mode must be wal but is still %s (network file systems lack what WAL needs)"
                            .formatted(mode),
                    "Nothing was opened");
        }
    }

    /// The value for `PRAGMA cache_size`: SQLite reads a negative number as KiB.
    private static long cacheKib(long bytes) {
        return -Math.max(MIN_CACHE_BYTES, bytes) / 1024;
    }
}
