package dev.perigee.hazards;

import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;

/// What must hold of a copy all along: its cursor never goes back, a row that was there leaves only when the source
/// lost it, and where its status says that it is complete as of a time, all that was committed before is in it.
final class Watch {
    /// Looks at the source that are remembered at most.
    private static final int MAX_LOOKS = 200;

    /// Whether a cursor's value is not less than one before.
    interface Order {
        boolean isGrown(Hazard.Table table, String before, String after) throws SQLException;
    }

    /// The source's rows, all committed before a time of its clock.
    private record Look(Map<String, String> source, Instant at) {}

    private final String what;
    private final Hazard.Table table;
    private final Follower follower;
    private final Deque<Look> looks = new ArrayDeque<>();
    private Map<String, String> copy = Map.of();
    private Optional<String> cursor = Optional.empty();

    Watch(String what, Hazard.Table table, Follower follower) {
        this.what = what;
        this.table = table;
        this.follower = follower;
    }

    Hazard.Table table() {
        return table;
    }

    /// @param at a time at the server after `source` was read
    void before(Map<String, String> source, Instant at) throws Exception {
        looks.add(new Look(source, at));
        if (looks.size() > MAX_LOOKS) looks.removeFirst();
        copy = follower.rows(table);
        cursor = promise().cursor();
    }

    /// @param source its rows after the poll
    void after(Map<String, String> source, Order order) throws Exception {
        Follower.Promise promise = promise();
        Map<String, String> now = follower.rows(table);
        Map<String, String> before = looks.getLast().source();
        for (String key : copy.keySet()) {
            boolean isThere = before.containsKey(key) && source.containsKey(key);
            if (isThere && !now.containsKey(key)) throw broken("row %s left the copy and not the source", key);
        }
        if (cursor.isPresent() && promise.cursor().isPresent()) {
            boolean isGrown =
                    order.isGrown(table, cursor.get(), promise.cursor().get());
            if (!isGrown) throw broken("its cursor went back from %s", cursor.get());
        }
        Optional<Instant> complete = promise.completeAsOf().filter(_ -> promise.isComplete());
        if (complete.isEmpty()) return;
        while (looks.size() > 1 && !next().at().isAfter(complete.get())) looks.removeFirst();
        Look covered = looks.getFirst();
        if (covered.at().isAfter(complete.get())) return;
        covered.source().forEach((key, v) -> {
            boolean isStill = v.equals(source.get(key));
            if (isStill && !v.equals(now.get(key))) throw broken("it says complete, and row %s is missing or old", key);
        });
    }

    private Look next() {
        return looks.stream().skip(1).findFirst().orElseThrow();
    }

    private Follower.Promise promise() throws Exception {
        return follower.promise(table).orElseThrow();
    }

    private AssertionError broken(String broken, String value) {
        return new AssertionError("%s, table %s: ".formatted(what, table.name()) + broken.formatted(value));
    }
}
