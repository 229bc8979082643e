package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// The replica file, `perigee.db` in its data folder: one writer, many readers.
///
/// Every write runs on the one thread that owns the write connection ([Writer]). Writes that are waiting together
/// commit together ([GroupCommit]). Reads run on a pool of threads, each with a read-only connection of its own
/// ([ReadPool]). Each read sees one consistent state of the replica, with every write that was acknowledged before the
/// read began. The data folder has one owner at a time ([DataFolderLock]).
///
/// Any thread may call any method. Methods that read, write, back up or close throw [IllegalStateException] if they are
/// called from inside work.
public final class Store implements AutoCloseable {
    /// The replica's name in its data folder, unless another is configured.
    public static final String FILE_NAME = StoreConfig.FILE_NAME;

    /// How long a write may wait for space in the queue.
    static final Duration QUEUE_WAIT = Duration.ofMinutes(1);

    /// @param databaseBytes size of the database file
    /// @param walBytes size of its WAL
    /// @param queuedWrites writes that wait for the writer
    /// @param activeReads reads that are running
    /// @param checkpoints checkpoints since the start that moved frames
    /// @param interruptedReads reads ended because they kept the WAL from being emptied
    /// @param blockedCheckpoints checkpoints past the WAL's limit that were blocked by something other than our reads,
    ///     mostly another process that reads the file
    public record Stats(
            long databaseBytes,
            long walBytes,
            int queuedWrites,
            int activeReads,
            long checkpoints,
            long interruptedReads,
            long blockedCheckpoints) {}

    private final Path file;
    private final DataFolderLock lock;
    private final ServingThreads threads = new ServingThreads();
    private final Watchdog watchdog;
    private final ReadPool readers;
    private final Writer writer;
    private boolean isClosed;

    private Store(StoreConfig config, DataFolderLock lock) {
        this.file = config.directory().resolve(config.fileName()).toAbsolutePath();
        this.lock = lock;
        this.watchdog = new Watchdog(look -> threads.repeated("watchdog", look));
        this.readers = new ReadPool(file, config, watchdog, threads, ReadPool.READER_WAIT);
        this.writer = new Writer(file, config, watchdog, threads, readers);
    }

    /// Opens or creates the replica and takes the data folder's lock. Rooms then create or update their tables by
    /// [#migrate].
    ///
    /// @throws PerigeeException [Fault#REPLICA_LOCKED] naming the process that holds the lock, [Fault#REPLICA_CORRUPT]
    ///     if the file is not a database, [Fault#DISK_FAILED] if the folder cannot be used
    public static Store open(StoreConfig config) {
        DataFolderLock lock = DataFolderLock.take(config);
        Store store = new Store(config, lock);
        try {
            // The writer first: it creates the file, and read-only connections cannot.
            store.writer.start();
            store.readers.start();
            // Without tables of its own: shows whether the file is a database that can be written.
            store.migrate("store", List.of());
            return store;
        } catch (Throwable e) {
            store.close();
            throw e;
        }
    }

    /// Runs `work` on the writer thread in a transaction, and returns once that is committed.
    ///
    /// @throws PerigeeException [Fault#BUSY] if the queue stays full for [#QUEUE_WAIT], [Fault#CLOSED]; what the work
    ///     threw
    public <T extends @Nullable Object> T write(TransactionWork<T> work) {
        refuseInsideWork("write");
        return await(enqueue(new PendingWrite<>(work, PendingWrite.NO_LIMIT)));
    }

    /// As [#write(TransactionWork)], with a limit on the run time of `work`, not counting the wait in the queue. Past
    /// the limit the call fails with [Fault#TIME_LIMIT], and nothing is written.
    ///
    /// `work` may run twice. Ending a statement may undo the whole transaction; the other limited writes in it are then
    /// run again. So `work` must have no effects except its writes and its result. Work without a limit runs once.
    public <T extends @Nullable Object> T write(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("write");
        return await(enqueue(new PendingWrite<>(work, TimeGuard.nanos(limit))));
    }

    /// As [#write(Duration, TransactionWork)], for work that runs a caller's statement, with a limit on its growth of
    /// the WAL. Past that limit the call fails with [Fault#TOO_LARGE], nothing is written, and the WAL is emptied.
    ///
    /// The size of the WAL file is checked every 10 ms and when the work ends. Pages still in SQLite's page cache are
    /// not in the file, so the commit may add up to [StoreConfig#pageCacheBytes()] more.
    ///
    /// @param maxWalBytes by how much the WAL may grow during the work
    public <T extends @Nullable Object> T writeForCaller(Duration limit, long maxWalBytes, TransactionWork<T> work) {
        refuseInsideWork("write");
        return await(enqueue(new PendingWrite<>(work, TimeGuard.nanos(limit), maxWalBytes)));
    }

    /// Lets another process write. Runs `turn` on the writer thread while no transaction is open there and nothing else
    /// writes. Every read that begins after this returns sees what the other process committed.
    ///
    /// @throws PerigeeException what the turn threw
    public <T extends @Nullable Object> T lendWriter(WriterLease.Turn<T> turn) {
        refuseInsideWork("lendWriter");
        return await(enqueue(new PendingWrite<>(turn)));
    }

    /// Queues `work`, without a time limit. The future completes after the commit. If the queue is full, waits for at
    /// most [#QUEUE_WAIT], then fails with [Fault#BUSY]. Writes that are waiting together commit together, each in a
    /// savepoint of its own. Must not be called from inside a write.
    ///
    /// Actions chained to the future without an executor may run on the writer thread, so they must be short.
    /// Cancelling the future before the work began removes the work from the queue.
    public <T extends @Nullable Object> CompletableFuture<T> submit(TransactionWork<T> work) {
        if (writer.isCurrentThread()) throw insideWork("submit");
        return enqueue(new PendingWrite<>(work, PendingWrite.NO_LIMIT));
    }

    /// Runs `work` in a read transaction on a reader thread, while the caller waits.
    ///
    /// @param limit limits the run time of `work`. The wait for a free reader is not part of it; after
    ///     [ReadPool#READER_WAIT] it fails with [Fault#BUSY]
    /// @throws PerigeeException [Fault#TIME_LIMIT] past the limit, or if the read kept the WAL from being emptied
    public <T extends @Nullable Object> T read(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("read");
        return await(readers.run(work, TimeGuard.nanos(limit), false));
    }

    /// As [#read], for work that runs a caller's statement. It also waits while callers occupy all readers but one,
    /// which is kept for Perigee's own reads.
    public <T extends @Nullable Object> T readForCaller(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("read");
        return await(readers.run(work, TimeGuard.nanos(limit), true));
    }

    /// Runs `work` in a read transaction on the calling thread, which must be a platform thread. For reads that are
    /// known to be short, such as a read by key.
    ///
    /// @param limit limits the run time of `work`
    /// @param work must not return null
    /// @return empty if all connections for short reads are in use, and nothing was run; [#read] would wait
    /// @throws PerigeeException as [#read] does
    public <T> Optional<T> tryReadHere(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("read");
        return readers.tryHere(work, TimeGuard.nanos(limit));
    }

    /// Updates a room's tables to the version this build knows, in one transaction; see [Migrations].
    ///
    /// @param steps all steps ever released, oldest first; those that the replica has not run yet are run
    /// @throws PerigeeException [Fault#REPLICA_TOO_NEW] if the replica has run more steps than these
    public void migrate(String room, List<String> steps) {
        Migrations migrations = new Migrations(room, steps);
        write(tx -> {
            migrations.run(tx, file);
            return null;
        });
    }

    /// Writes a compact copy of the replica, as it is now, to `target`, while writes continue. The file has its name
    /// only once it is complete. A backup is a long read, so it is ended like any other read if it keeps the WAL past
    /// its limit.
    ///
    /// @throws PerigeeException [Fault#CONFLICT] if a file with that name exists
    public void backup(Path target) {
        refuseInsideWork("backup");
        await(readers.backup(target.toAbsolutePath()));
    }

    /// Runs SQLite's integrity check, which reads the whole file.
    ///
    /// @return what is wrong, at most 100 sentences; empty if the file is intact
    public List<String> integrityCheck(Duration limit) {
        return read(limit, tx -> {
            List<String> complaints = new ArrayList<>();
            SqliteStatement check = tx.statement("PRAGMA integrity_check");
            while (check.step()) complaints.add(String.valueOf(check.textAt(0)));
            return complaints.equals(List.of("ok")) ? List.<String>of() : List.copyOf(complaints);
        });
    }

    /// Makes durable what was committed before this call: afterwards not even a power failure undoes it.
    ///
    /// @throws PerigeeException [Fault#DISK_FAILED] if the disk refuses
    public void sync() {
        // What is no longer in the WAL was written to the database file by a checkpoint, which syncs that file. SQLite
        // has no locks on the WAL's file, so closing it drops none.
        try (FileChannel wal = FileChannel.open(Connections.wal(file), StandardOpenOption.WRITE)) {
            wal.force(false);
        } catch (NoSuchFileException _) {
            // Removed after a checkpoint.
        } catch (IOException e) {
            throw Fault.DISK_FAILED.in(
                    "replica " + file, "its WAL cannot be synced", "What was committed last may not be durable yet", e);
        }
    }

    /// The replica's file. Within this process, open it through SQLite only: closing any other channel on it drops
    /// SQLite's locks.
    public Path file() {
        return file;
    }

    /// Size of the write connection's page cache, in bytes.
    public long pageCacheBytes() {
        return writer.pageCacheBytes();
    }

    /// Replaces the one observer of writes; [ChangeObserver#NONE] records nothing. Called from inside a write, so that
    /// the observer's temporary triggers are created or dropped in the same transaction.
    public void observer(ChangeObserver observer) {
        writer.observer(observer);
    }

    /// The current observer of writes.
    public ChangeObserver observer() {
        return writer.observer();
    }

    /// How often copies were changed since the store was opened. It grows before the change is committed. So an answer
    /// obtained from the source after this number was read is not older than the changes counted in it.
    public long copyChanges() {
        return writer.copyChanges();
    }

    /// How many callers' reads can run at once.
    public int callerReaders() {
        return readers.callerReaders();
    }

    /// Supervises the threads of this replica, and those of later rooms that serve as long as it is open.
    public ServingThreads threads() {
        return threads;
    }

    /// Why the replica cannot be written at the moment: another program holds it, the disk is full or fails, or the
    /// file is damaged, removed or replaced. Empty if no reason is known, and again after the next commit.
    public Optional<PerigeeException> trouble() {
        return writer.trouble();
    }

    public Stats stats() {
        Checkpoints.Counts counts = writer.checkpoints();
        return new Stats(
                size(file),
                size(Connections.wal(file)),
                writer.queued(),
                readers.active(),
                counts.moved(),
                counts.interruptedReads(),
                counts.blocked());
    }

    /// Ends the reads, finishes the queued writes, empties the WAL and releases the lock. A second call does nothing.
    @Override
    public void close() {
        refuseInsideWork("close");
        synchronized (lock) {
            if (isClosed) return;
            isClosed = true;
            threads.close();
            // Readers first, so that no reader blocks the writer's last checkpoint.
            readers.close();
            writer.close();
            watchdog.close();
            lock.close();
        }
    }

    static long size(Path path) {
        try {
            return Files.size(path);
        } catch (IOException _) {
            // A WAL that does not exist is empty.
            return 0;
        }
    }

    private <T extends @Nullable Object> CompletableFuture<T> enqueue(PendingWrite<T> write) {
        writer.enqueue(write);
        return write.future();
    }

    /// Waits and ignores interrupts: the outcome of a write must be known, and reads end by their own limit.
    static <T extends @Nullable Object> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) throw cause;
            if (e.getCause() instanceof Error cause) throw cause;
            throw e;
        }
    }

    private void refuseInsideWork(String call) {
        if (writer.isCurrentThread() || readers.isCurrentThread()) throw insideWork(call);
    }

    private static IllegalStateException insideWork(String call) {
        return new IllegalStateException(
                call + " was called from inside work of the same store; use the transaction passed to the work");
    }
}
