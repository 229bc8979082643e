package dev.perigee.config;

import java.time.Duration;
import java.time.temporal.ChronoUnit;

/// How rows that the source deleted leave the copy. As text: `ignore`, `soft(column)`, `sweep(interval)`.
public sealed interface Deletes {
    /// Shortest time between two sweeps.
    Duration MIN_SWEEP = Duration.ofSeconds(1);

    /// Longest time between two sweeps.
    Duration MAX_SWEEP = TableConfig.MAX_INTERVAL;

    /// Deleted rows stay in the copy.
    record Ignore() implements Deletes {
        @Override
        public String text() {
            return "ignore";
        }
    }

    /// Soft delete: the source keeps its deleted rows and marks them in a column.
    ///
    /// @param column the source's column with the mark, spelled as in its catalog; may contain any character
    record Soft(String column) implements Deletes {
        public Soft {
            if (column.isEmpty()) throw new IllegalArgumentException("expected a column's name between soft( and )");
        }

        @Override
        public String text() {
            return "soft(%s)".formatted(column);
        }
    }

    /// The copy's keys are compared with the source's at an interval, and rows missing at the source are removed.
    ///
    /// @param interval time between two sweeps, [#MIN_SWEEP] to [#MAX_SWEEP], in whole milliseconds
    record Sweep(Duration interval) implements Deletes {
        public Sweep {
            if (interval.compareTo(MIN_SWEEP) < 0 || interval.compareTo(MAX_SWEEP) > 0) {
                throw new IllegalArgumentException(
                        "expected %s to %s between two sweeps".formatted(Units.text(MIN_SWEEP), Units.text(MAX_SWEEP)));
            }
            interval = interval.truncatedTo(ChronoUnit.MILLIS);
        }

        @Override
        public String text() {
            return "sweep(%s)".formatted(Units.text(interval));
        }
    }

    /// The text that [#parse] reads back to this value.
    String text();

    /// Reads the setting's text.
    ///
    /// @throws IllegalArgumentException saying what was expected
    static Deletes parse(String text) {
        if (text.equals("ignore")) return new Ignore();
        if (text.startsWith("soft(") && text.endsWith(")")) return new Soft(inner("soft(", text));
        if (text.startsWith("sweep(") && text.endsWith(")")) {
            return new Sweep(Units.duration(inner("sweep(", text))
                    .orElseThrow(() -> new IllegalArgumentException(
                            "expected a duration between sweep( and ), such as sweep(10m)")));
        }
        throw new IllegalArgumentException(
                "expected ignore, soft(column) or sweep(interval), such as soft(deleted_at) or sweep(10m)");
    }

    private static String inner(String before, String text) {
        return text.substring(before.length(), text.length() - 1);
    }
}
