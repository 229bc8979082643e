package dev.perigee.bundled.transfer;

import dev.perigee.bundled.transfer.ExportJob.State;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Response.Body;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Makes exports in the background, one after another, and keeps them for a day. They outlive the server: a job that
/// was not over starts from the beginning when the server starts again.
final class ExportJobs implements AutoCloseable {
    /// Maximum number of jobs that wait, run, or are kept, together.
    static final int MAX_JOBS = 20;

    private static final Duration BUSY_PAUSE = Duration.ofMillis(500);
    private static final Duration KEPT = Duration.ofDays(1);
    private static final Duration PROGRESS = Duration.ofMillis(500);
    private static final Duration STOP_WAIT = Duration.ofSeconds(10);
    private static final Duration READ_LIMIT = Duration.ofSeconds(10);
    private static final String FOLDER = "export-jobs";
    private static final Logger LOG = LoggerFactory.getLogger(ExportJobs.class);

    private static final List<String> TABLES = List.of("""
            CREATE TABLE tmp_export_jobs (
                id TEXT NOT NULL PRIMARY KEY,
                format TEXT NOT NULL,
                table_name TEXT,
                state TEXT NOT NULL,
                created_at TEXT NOT NULL,
                finished_at TEXT,
                bytes INTEGER NOT NULL,
                source_bytes INTEGER NOT NULL,
                error TEXT
            )""");

    /// Makes the body of an export.
    @FunctionalInterface
    interface Making {
        Body of(String format, Optional<String> table);
    }

    /// Ends the work on a job: it was removed, or the server stops.
    private static final class Ended extends IOException {
        private static final long serialVersionUID = 1;
    }

    private final Store store;
    private final InstantSource clock;
    private final Making making;
    private final Map<String, ExportJob> jobs = new ConcurrentHashMap<>();
    private final Object lock = new Object();
    private final Thread worker;
    private volatile boolean isClosed;

    ExportJobs(Store store, InstantSource clock, Making making) {
        this.store = store;
        this.clock = clock;
        this.making = making;
        this.worker = Thread.ofPlatform()
                .daemon()
                .name("perigee-export-jobs")
                .unstarted(store.threads().repeated("export-jobs", this::work));
        store.migrate("export", TABLES);
        read();
        removeOthers();
    }

    void start() {
        worker.start();
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#BUSY] if there are [#MAX_JOBS] already
    ExportJob add(String format, Optional<String> table) {
        ExportJob job = new ExportJob(
                UUID.randomUUID().toString(),
                format,
                table,
                State.QUEUED,
                now(),
                Optional.empty(),
                0,
                0,
                Optional.empty());
        synchronized (lock) {
            expire();
            if (jobs.size() >= MAX_JOBS) {
                throw Fault.BUSY.saying("There are %d export jobs: remove one first.".formatted(MAX_JOBS));
            }
            keep(job);
            lock.notifyAll();
        }
        return job;
    }

    List<ExportJob> all() {
        synchronized (lock) {
            expire();
            return jobs.values().stream()
                    .sorted((a, b) -> a.createdAt().compareTo(b.createdAt()))
                    .toList();
        }
    }

    ExportJob find(String id) {
        ExportJob job = jobs.get(id);
        if (job == null) throw Fault.NOT_FOUND.saying("There is no export job '%s'.".formatted(id));
        return job;
    }

    /// The file of a job that is done.
    Path file(ExportJob job) {
        if (job.state() != State.DONE) {
            throw Fault.CONFLICT.saying("The export job is %s: wait until it is done."
                    .formatted(job.state().name().toLowerCase(Locale.ROOT)));
        }
        return folder().resolve(job.fileName());
    }

    /// Removes a job with its file. If it is running, it ends.
    void remove(String id) {
        synchronized (lock) {
            ExportJob job = find(id);
            jobs.remove(id);
            store.write(tx -> {
                tx.statement("DELETE FROM tmp_export_jobs WHERE id = ?1")
                        .bindText(1, id)
                        .run();
                return true;
            });
            delete(folder().resolve(job.fileName()));
        }
    }

    private void work() {
        while (!isClosed) {
            @Nullable ExportJob next = next();
            try {
                if (next != null) run(next);
            } catch (RuntimeException e) {
                // The job's end could not be recorded, for example because the disk is full. The other jobs must not
                // wait forever.
                if (isClosed) return;
                LOG.error("The state of an export job could not be recorded", e);
                if (next != null) jobs.computeIfPresent(next.id(), (_, job) -> failed(job, e));
            }
        }
    }

    private ExportJob failed(ExportJob job, RuntimeException why) {
        return job.over(State.FAILED, now(), Optional.of(String.valueOf(why.getMessage())));
    }

    private @Nullable ExportJob next() {
        synchronized (lock) {
            Optional<ExportJob> waiting = jobs.values().stream()
                    .filter(job -> !job.state().isOver())
                    .min((a, b) -> a.createdAt().compareTo(b.createdAt()));
            if (waiting.isPresent()) return waiting.get();
            try {
                lock.wait(Duration.ofMinutes(1).toMillis());
            } catch (InterruptedException _) {
                // It is closed.
            }
            expire();
            return null;
        }
    }

    private void run(ExportJob job) {
        Path file = folder().resolve(job.fileName());
        Path part = file.resolveSibling(job.fileName() + ".part");
        try {
            Files.createDirectories(folder());
            update(job.running(store.stats().databaseBytes()));
            try (OutputStream out = new Watched(Files.newOutputStream(part), job.id())) {
                making.of(job.format(), job.table()).writeTo(out);
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            end(job.id(), State.DONE, Optional.empty());
        } catch (Ended _) {
            delete(part);
        } catch (IOException | RuntimeException e) {
            delete(part);
            if (e instanceof PerigeeException busy && busy.fault() == Fault.BUSY) {
                await(job);
                return;
            }
            // The job starts from the beginning when the server starts again, as after a kill.
            if (isClosed) return;
            LOG.warn("The export job {} failed", job.id(), e);
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            end(job.id(), State.FAILED, Optional.of(why));
        }
    }

    /// Puts the job back and pauses: clients' exports take all places. Its turn comes when one of them ends.
    private void await(ExportJob job) {
        update(job);
        try {
            Thread.sleep(BUSY_PAUSE);
        } catch (InterruptedException _) {
            // It is closed.
        }
    }

    private void end(String id, State state, Optional<String> why) {
        synchronized (lock) {
            ExportJob now = jobs.get(id);
            if (now != null) keep(now.over(state, now(), why));
            removeOthers(); // Also this job's file, if the job was removed at the last moment.
        }
    }

    private void update(ExportJob job) {
        synchronized (lock) {
            if (jobs.containsKey(job.id())) keep(job);
        }
    }

    /// Counts what is written, and ends the work once the job was removed or the server stops.
    private final class Watched extends OutputStream {
        private final OutputStream out;
        private final String id;
        private long bytes;
        private long told = System.nanoTime();

        Watched(OutputStream out, String id) {
            this.out = out;
            this.id = id;
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int count) throws IOException {
            ExportJob now = jobs.get(id);
            if (now == null || isClosed) throw new Ended();
            out.write(from, offset, count);
            bytes += count;
            if (System.nanoTime() - told < PROGRESS.toNanos()) return;
            told = System.nanoTime();
            jobs.computeIfPresent(id, (_, job) -> job.written(bytes));
        }

        @Override
        public void close() throws IOException {
            out.close();
            jobs.computeIfPresent(id, (_, job) -> job.written(bytes));
        }
    }

    private void expire() {
        Instant oldest = clock.instant().minus(KEPT);
        for (ExportJob job : List.copyOf(jobs.values())) {
            boolean isOld = job.finishedAt()
                    .filter(at -> Instant.parse(at).isBefore(oldest))
                    .isPresent();
            if (isOld) remove(job.id());
        }
    }

    private void keep(ExportJob job) {
        jobs.put(job.id(), job);
        store.write(tx -> {
            SqliteStatement insert = tx.statement("""
                    INSERT INTO tmp_export_jobs
                        (id, format, table_name, state, created_at, finished_at, bytes, source_bytes, error)
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                    ON CONFLICT (id) DO UPDATE
                    SET state = ?4, finished_at = ?6, bytes = ?7, source_bytes = ?8, error = ?9""")
                    .bindText(1, job.id())
                    .bindText(2, job.format())
                    .bindText(4, job.state().name())
                    .bindText(5, job.createdAt())
                    .bindInt(7, job.bytes())
                    .bindInt(8, job.sourceBytes());
            if (job.table().isPresent()) insert.bindText(3, job.table().get());
            if (job.finishedAt().isPresent())
                insert.bindText(6, job.finishedAt().get());
            if (job.error().isPresent()) insert.bindText(9, job.error().get());
            insert.run();
            return true;
        });
    }

    private void read() {
        List<ExportJob> found = store.read(READ_LIMIT, tx -> {
            List<ExportJob> all = new ArrayList<>();
            SqliteStatement select = tx.statement("""
                    SELECT id, format, table_name, state, created_at, finished_at, bytes, source_bytes, error
                    FROM tmp_export_jobs""");
            while (select.step()) {
                State state = State.valueOf(String.valueOf(select.textAt(3)));
                all.add(new ExportJob(
                        String.valueOf(select.textAt(0)),
                        String.valueOf(select.textAt(1)),
                        Optional.ofNullable(select.textAt(2)),
                        state.isOver() ? state : State.QUEUED,
                        String.valueOf(select.textAt(4)),
                        Optional.ofNullable(select.textAt(5)),
                        select.intAt(6),
                        select.intAt(7),
                        Optional.ofNullable(select.textAt(8))));
            }
            return all;
        });
        found.forEach(job -> jobs.put(job.id(), job));
    }

    /// Removes files that belong to no finished job: of a process that died, or of a job that was removed while it ran.
    private void removeOthers() {
        if (!Files.isDirectory(folder())) return;
        List<String> known = jobs.values().stream()
                .filter(job -> job.state() == State.DONE)
                .map(ExportJob::fileName)
                .toList();
        try (Stream<Path> files = Files.list(folder())) {
            files.filter(file -> !known.contains(file.getFileName().toString())).forEach(ExportJobs::delete);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("The file {} could not be removed", file, e);
        }
    }

    private Path folder() {
        return store.file().resolveSibling(FOLDER);
    }

    private String now() {
        return clock.instant().toString();
    }

    /// Ends the job that runs; it starts from the beginning with the next start of the server.
    @Override
    public void close() {
        isClosed = true;
        worker.interrupt();
        try {
            if (worker.isAlive()) worker.join(STOP_WAIT);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
