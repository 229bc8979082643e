package dev.perigee.bundled.transfer;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How far one import has come. The thread that imports writes it; any thread may read it.
final class ImportProgress {
    private enum State {
        /// The body is arriving.
        UPLOADING,
        /// The body has arrived; it is imported as soon as other writes are over.
        IMPORTING,
        DONE,
        FAILED
    }

    private final long id;
    private final String format;
    private final Optional<String> table;
    private final InstantSource clock;
    private final Instant startedAt;
    private volatile State state = State.UPLOADING;
    private volatile long bytes;
    private volatile long totalBytes;
    private volatile long rows;
    private volatile long failed;
    private volatile @Nullable Instant finishedAt;
    private volatile @Nullable String error;

    /// @param format `dump`, `json` or `csv`
    /// @param table absent for a dump
    ImportProgress(long id, String format, Optional<String> table, InstantSource clock) {
        this.id = id;
        this.format = format;
        this.table = table;
        this.clock = clock;
        this.startedAt = clock.instant();
    }

    /// All of the body has arrived in `file`.
    void uploaded(Path file) throws IOException {
        totalBytes = Files.size(file);
        state = State.IMPORTING;
    }

    /// Opens the file; what is read from it counts as progress.
    InputStream open(Path file) throws IOException {
        bytes = 0;
        return new FilterInputStream(Files.newInputStream(file)) {
            @Override
            public int read() throws IOException {
                int c = in.read();
                if (c >= 0) add(1);
                return c;
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                int count = in.read(to, offset, length);
                if (count > 0) add(count);
                return count;
            }
        };
    }

    private void add(int count) {
        bytes = bytes + count; // One thread reads.
    }

    /// @param all rows, or statements of a dump, so far
    /// @param ofThemFailed how many of these were left out
    void rows(long all, long ofThemFailed) {
        rows = all;
        failed = ofThemFailed;
    }

    void done() {
        finishedAt = clock.instant();
        state = State.DONE;
    }

    void failed(String why) {
        error = RowImport.cut(why);
        finishedAt = clock.instant();
        state = State.FAILED;
    }

    /// As `GET /import/status` shows it.
    Map<String, Object> shown() {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("id", id);
        shown.put("format", format);
        table.ifPresent(name -> shown.put("table", name));
        shown.put("state", state.name().toLowerCase(Locale.ROOT));
        shown.put("startedAt", startedAt.toString());
        Instant end = finishedAt;
        if (end != null) shown.put("finishedAt", end.toString());
        shown.put("bytes", bytes);
        shown.put("totalBytes", totalBytes);
        shown.put(format.equals("dump") ? "statements" : "rows", rows);
        shown.put("failed", failed);
        String why = error;
        if (why != null) shown.put("error", why);
        return shown;
    }
}
