package dev.perigee.cli;

import dev.perigee.replication.sync.Progress;
import dev.perigee.replication.sync.SyncListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/// Shows the progress of a sync, a verification or a backfill: a bar that is redrawn on a terminal, else a line from
/// time to time.
///
/// A thread of its own writes, so that a slow terminal does not slow down the work.
final class ProgressLine implements SyncListener, AutoCloseable {
    private static final Duration REDRAW = Duration.ofMillis(150);
    private static final Duration SAY = Duration.ofSeconds(5);
    private static final int BAR = 20;
    private static final int WIDTH = 100;

    private record Seen(String table, Progress progress) {}

    private final PrintWriter out;
    private final boolean isTerminal;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("perigee-progress").factory());
    private final ScheduledFuture<?> drawing;
    private volatile Seen seen = new Seen("", new Progress(0, Optional.empty(), 0, Optional.empty()));
    private Seen shown = seen;

    ProgressLine(PrintWriter out, boolean isTerminal) {
        this.out = out;
        this.isTerminal = isTerminal;
        long millis = (isTerminal ? REDRAW : SAY).toMillis();
        drawing = clock.scheduleAtFixedRate(this::draw, millis, millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void progress(String table, Progress progress) {
        seen = new Seen(table, progress);
    }

    /// Removes the bar, so that other lines may follow.
    synchronized void clear() {
        shown = seen;
        if (!isTerminal) return;
        out.print("\r" + " ".repeat(WIDTH) + "\r");
        out.flush();
    }

    private synchronized void draw() {
        Seen now = seen;
        if (now.equals(shown)) return;
        shown = now;
        String text = text(now.table, now.progress, isTerminal);
        if (isTerminal) out.printf("\r%-" + WIDTH + "s", text);
        else out.println(text);
        out.flush();
    }

    /// One line: table, bar, rows, rate, time left.
    static String text(String table, Progress progress, boolean withBar) {
        StringBuilder line = new StringBuilder(table).append(": ");
        progress.estimatedRows().filter(all -> all > 0).ifPresent(all -> {
            // An estimate may be too low; the bar then stays full.
            double share = Math.min(1, (double) progress.rows() / all);
            int full = (int) (share * BAR);
            if (withBar)
                line.append('[')
                        .append("#".repeat(full))
                        .append(".".repeat(BAR - full))
                        .append("] ");
            line.append(Math.round(share * 100)).append(" %, ");
        });
        line.append(String.format(Locale.ROOT, "%,d rows, %,.0f rows/s", progress.rows(), progress.rowsPerSecond()));
        progress.etaMs()
                .ifPresent(millis -> line.append(", ").append(time(millis)).append(" left"));
        return line.toString();
    }

    private static String time(long millis) {
        long seconds = (millis + 999) / 1000;
        if (seconds < 60) return seconds + " s";
        return seconds < 3600
                ? "%d min %02d s".formatted(seconds / 60, seconds % 60)
                : "%d h %02d min".formatted(seconds / 3600, seconds / 60 % 60);
    }

    @Override
    public void close() {
        drawing.cancel(false);
        clock.shutdownNow();
        clear();
    }
}
