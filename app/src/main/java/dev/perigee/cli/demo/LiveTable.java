package dev.perigee.cli.demo;

import dev.perigee.replication.TableStatus;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Shows the tables' status as lines of text, with each table's rate over the last seconds.
final class LiveTable {
    private static final long RATE_MILLIS = 5_000;
    private static final int CURSOR_WIDTH = 27;
    private static final String ROW = "%-12s %9s  %-27s %7s %7s  %s"; // with a state of one word, 80 columns

    /// The rows pulled up to a point in time.
    private record Reading(long atMillis, long rows) {}

    private final Map<String, Deque<Reading>> readings = new HashMap<>();

    /// @return a heading and one line for each table
    List<String> lines(List<TableStatus> tables, Instant now) {
        List<String> lines = new ArrayList<>();
        lines.add(ROW.formatted("TABLE", "ROWS", "CURSOR", "LAG", "ROWS/S", "STATE"));
        for (TableStatus table : tables) lines.add(line(table, now));
        return lines;
    }

    /// All tables in one line, for output to a file or a pipe.
    String summary(List<TableStatus> tables, Instant now) {
        StringBuilder text = new StringBuilder();
        for (TableStatus table : tables) {
            if (!text.isEmpty()) text.append("   ");
            text.append(String.format(
                    Locale.ROOT,
                    "%s %,d (+%s/s, %s)",
                    table.name(),
                    table.copy().rowCount(),
                    rate(table, now),
                    state(table)));
        }
        return text.toString();
    }

    private String line(TableStatus table, Instant now) {
        String cursor = table.copy().cursor().orElse("-");
        return ROW.formatted(
                        table.name(),
                        count(table.copy().rowCount()),
                        cursor.length() > CURSOR_WIDTH ? cursor.substring(0, CURSOR_WIDTH - 1) + "…" : cursor,
                        table.syncs().lag().map(LiveTable::millis).orElse("-"),
                        rate(table, now),
                        state(table))
                .stripTrailing();
    }

    private static String state(TableStatus table) {
        return table.syncs().state()
                + table.failing().lastError().map(e -> ": " + e.fault()).orElse("");
    }

    private String rate(TableStatus table, Instant now) {
        long at = now.toEpochMilli();
        Deque<Reading> past = readings.computeIfAbsent(table.name(), _ -> new ArrayDeque<>());
        if (past.isEmpty() || past.getLast().atMillis() < at)
            past.addLast(new Reading(at, table.copy().rowsPulled()));
        while (past.size() > 2 && at - past.getFirst().atMillis() > RATE_MILLIS) past.removeFirst();
        Reading first = past.getFirst();
        long elapsed = at - first.atMillis();
        if (elapsed <= 0) return "0";
        double rate = (table.copy().rowsPulled() - first.rows()) * 1000.0 / elapsed;
        return rate > 0 && rate < 10 ? String.format(Locale.ROOT, "%.1f", rate) : count(Math.round(rate));
    }

    /// The same in every locale, because scripts read it.
    private static String count(long rows) {
        return String.format(Locale.ROOT, "%,d", rows);
    }

    private static String millis(long millis) {
        if (millis >= 100_000) return millis / 60_000 + " min";
        return millis < 1000 ? millis + " ms" : String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }
}
