package dev.perigee.store;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.fault.ServingThreads;
import dev.perigee.sqlite.SqliteStatement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/// The replica file, `perigee.db` in its data folder: one writer, many readers.
///
/// Every write runs on the one thread that owns the write connection ([Writer]); writes that wait together commit
/// together ([GroupCommit]). Reads run on a pool of threads, each with a read-only connection of its own ([ReadPool]),
/// and see the replica as it stood when they first read. The data folder has one owner at a time ([DataFolderLock]).
/// Any thread may call any method; none of them may be called from inside work, except [#file()] and [#stats()].
public final class Store implements AutoCloseable {
    /// Name of the replica in its data folder, unless configured.
    public static final String FILE_NAME = StoreConfig.FILE_NAME;

    /// How long a write may wait for a place in the queue.
    static final Duration QUEUE_WAIT = Duration.ofMinutes(1);

    /// @param databaseBytes size of the database file
    /// @param walBytes size of its WAL
    /// @param queuedWrites writes that wait for the writer
    /// @param activeReads reads that run
    /// @param checkpoints checkpoints that moved frames since the start
    /// @param interruptedReads reads ended because they kept the WAL from being emptied
    /// @param blockedCheckpoints checkpoints past the WAL's limit that somebody else than our reads held up, mostly
    ///     another process that reads the file
    public record Stats(
            long databaseBytes,
            long walBytes,
            int queuedWrites,
            int activeReads,
            long checkpoints,
            long interruptedReads,
            long blockedCheckpoints) {}

    private static final List<String> TABLES = List.of();

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

    /// Opens or creates the replica and takes the data folder's lock. Rooms then bring their tables by [#migrate].
    ///
    /// @throws PerigeeException [Fault#REPLICA_LOCKED] naming the process that has the folder, [Fault#REPLICA_CORRUPT]
    ///     where the file is no database, [Fault#DISK_FAILED] where the folder cannot be used
    public static Store open(StoreConfig config) {
        DataFolderLock lock = DataFolderLock.take(config);
        Store store = new Store(config, lock);
        try {
            // The writer first: it creates the file, and read-only connections cannot.
            store.writer.start();
            store.readers.start();
            store.migrate("store", TABLES);
            return store;
        } catch (Throwable e) {
            store.close();
            throw e;
        }
    }

    /// Runs `work` on the writer in a transaction and returns once it is committed. Not to be called from inside work.
    public <T extends @Nullable Object> T write(TransactionWork<T> work) {
        refuseInsideWork("write");
        return await(enqueue(new PendingWrite<>(work, PendingWrite.NO_LIMIT)));
    }

    /// As [#write], with a limit on the run of `work` itself; past it the statement fails with [Fault#TIME_LIMIT] and
    /// nothing is written.
    ///
    /// `work` may run twice: an interrupted statement takes the whole transaction with it, and limited writes that
    /// shared it are then run again. So its only effects are its writes and its result. (Work without a limit runs
    /// once.)
    public <T extends @Nullable Object> T write(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("write");
        return await(enqueue(new PendingWrite<>(work, TimeGuard.nanos(limit))));
    }

    /// As [#write(Duration, Work)], for work that runs what a caller sent, with a limit on what it adds to the WAL too;
    /// past it the statement fails with [Fault#TOO_LARGE], nothing is written, and the WAL is emptied.
    ///
    /// The WAL's file is what is looked at, each hundredth of a second and at the end. Pages that SQLite still has in
    /// its cache are not in it, so up to [StoreConfig#pageCacheBytes()] may come on top with the commit.
    public <T extends @Nullable Object> T writeForCaller(Duration limit, long maxWalBytes, TransactionWork<T> work) {
        refuseInsideWork("write");
        return await(enqueue(new PendingWrite<>(work, TimeGuard.nanos(limit), maxWalBytes)));
    }

    /// Lets another process write: runs `turn` on the writer thread, while no transaction is open and nobody else
    /// writes. What the other process committed is seen by every read that begins after this returns.
    ///
    /// @throws PerigeeException what the turn threw
    public <T extends @Nullable Object> T lendWriter(WriterLease.Turn<T> turn) {
        refuseInsideWork("lendWriter");
        return await(enqueue(new PendingWrite<>(turn)));
    }

    /// Queues `work`; completes after its commit. Waits while the queue is full, at most a minute, then fails with
    /// [Fault#BUSY]. Writes that wait together commit together, each in a savepoint of its own.
    ///
    /// What is chained to the future without an executor may run on the writer thread: keep it short. A future that is
    /// cancelled before its work began takes the work out of the queue.
    public <T extends @Nullable Object> CompletableFuture<T> submit(TransactionWork<T> work) {
        if (writer.isCurrentThread()) throw insideWork("submit");
        return enqueue(new PendingWrite<>(work, PendingWrite.NO_LIMIT));
    }

    /// Runs `work` in a read transaction on one of the readers, while the caller waits.
    ///
    /// @param limit on the run of `work`; a wait for a free reader comes on top and ends after [ReadPool#READER_WAIT]
    ///     with [Fault#BUSY]
    /// @throws PerigeeException [Fault#TIME_LIMIT] past the limit, or when the read kept the WAL from being emptied
    public <T extends @Nullable Object> T read(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("read");
        return await(readers.run(work, TimeGuard.nanos(limit), false));
    }

    /// As [#read], for work that runs what a caller sent: it waits while callers hold all readers but one, which is
    /// left to Perigee's own reads.
    public <T extends @Nullable Object> T readForCaller(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("read");
        return await(readers.run(work, TimeGuard.nanos(limit), true));
    }

    /// Runs `work` in a read transaction on this very thread, which has to be a platform thread: for reads that are
    /// known to be short, such as one by key.
    ///
    /// @param limit on the run of `work`
    /// @param work returns something
    /// @return empty, and nothing was run, where the connections for that are all in use: [#read] waits
    /// @throws PerigeeException as [#read] does
    public <T> Optional<T> tryReadHere(Duration limit, TransactionWork<T> work) {
        refuseInsideWork("read");
        return readers.tryHere(work, TimeGuard.nanos(limit));
    }

    /// Brings a room's tables to the version this build knows, in one transaction; see [Migrations].
    ///
    /// @param steps all steps there ever were, oldest first; those the replica has not seen are run
    /// @throws PerigeeException [Fault#REPLICA_TOO_NEW] if the replica has seen more steps than these
    public void migrate(String room, List<String> steps) {
        Migrations migrations = new Migrations(room, steps);
        write(tx -> {
            migrations.run(tx, file);
            return null;
        });
    }

    /// Writes a compact copy of the replica as it stands now to `target`, while writes go on. The copy appears under
    /// its name only once it is whole. A backup is a long read: past the WAL's limit it is ended like one.
    ///
    /// @throws PerigeeException [Fault#CONFLICT] if there is a file of that name
    public void backup(Path target) {
        refuseInsideWork("backup");
        await(readers.backup(target.toAbsolutePath()));
    }

    /// What SQLite finds wrong in the file, at most 100 sentences; empty when all is well. Reads the whole file.
    public List<String> integrityCheck(Duration limit) {
        return read(limit, tx -> {
            List<String> complaints = new ArrayList<>();
            SqliteStatement check = tx.statement("PRAGMA integrity_check");
            while (check.step()) complaints.add(String.valueOf(check.textAt(0)));
            return complaints.equals(List.of("ok")) ? List.<String>of() : List.copyOf(complaints);
        });
    }

    /// The replica's file. Never open it by other means than SQLite's within this process: closing such a channel drops
    /// the locks SQLite holds on it.
    public Path file() {
        return file;
    }

    /// Page cache of the connection that writes, in bytes.
    public long pageCacheBytes() {
        return writer.pageCacheBytes();
    }

    /// From now on writes are followed by `observer`, the only one; [ChangeObserver#NONE] follows nothing. Called from
    /// inside a write, so that its temporary triggers come and go with it.
    public void observer(ChangeObserver observer) {
        writer.observer(observer);
    }

    /// Who follows the writes.
    public ChangeObserver observer() {
        return writer.observer();
    }

    /// How often copies were changed since the store was opened. It grows before the change is committed, so what the
    /// source says after that is not older than the copies.
    public long copyChanges() {
        return writer.copyChanges();
    }

    /// How many reads of callers can run at once.
    public int callerReaders() {
        return readers.callerReaders();
    }

    /// Supervises the threads of this replica, and those of the rooms below that serve as long as it is open.
    public ServingThreads threads() {
        return threads;
    }

    /// Why the replica cannot be written just now: another program holds it, the disk is full or fails, the file is
    /// damaged, removed or replaced. Empty while nothing is known to be in the way, and again after the next commit.
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

    /// Finishes queued writes, ends readers, empties the WAL, releases the lock. A second call does nothing.
    @Override
    public void close() {
        refuseInsideWork("close");
        synchronized (lock) {
            if (isClosed) return;
            isClosed = true;
            threads.close();
            // Readers first, so that the writer's last checkpoint finds nobody in its way.
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
            // A WAL that is not there is empty.
            return 0;
        }
    }

    private <T extends @Nullable Object> CompletableFuture<T> enqueue(PendingWrite<T> write) {
        writer.enqueue(write);
        return write.future();
    }

    /// Waits without regard to interrupts: what a write did has to be known, and reads end by their own limit.
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
                call + " was called from inside work of the same store; use the transaction the work was given");
    }
}
