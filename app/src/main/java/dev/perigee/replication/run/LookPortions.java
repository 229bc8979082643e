package dev.perigee.replication.run;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Divides tables into portions that are looked at together. Tables with about the same interval share portions, and a
/// table stays at its place. So the looks at a portion send the same statement, which the source can keep prepared.
final class LookPortions {
    /// Tables in a portion at most. The source locks them for a moment.
    static final int SIZE = 500;

    private static final int CRON = -1;

    /// @param interval the intervals of its tables: 2 to the power of this, in milliseconds, up to twice that
    /// @param number counts the portions with this interval
    record Key(int interval, int number) {}

    private LookPortions() {}

    static Map<Key, List<TableRunner>> of(Collection<TableRunner> tables, Instant now) {
        Map<Integer, Integer> counts = new LinkedHashMap<>();
        Map<Key, List<TableRunner>> portions = new LinkedHashMap<>();
        for (TableRunner table : tables) {
            int interval = interval(table, now);
            int place = counts.merge(interval, 1, Integer::sum) - 1;
            portions.computeIfAbsent(new Key(interval, place / SIZE), _ -> new ArrayList<>())
                    .add(table);
        }
        return portions;
    }

    private static int interval(TableRunner table, Instant now) {
        if (table.config().cron().isPresent()) return CRON;
        long millis = Duration.between(now, table.schedule().next(now, now)).toMillis();
        return Long.SIZE - 1 - Long.numberOfLeadingZeros(Math.max(1, millis));
    }
}
