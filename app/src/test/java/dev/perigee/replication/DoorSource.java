package dev.perigee.replication;

import dev.perigee.batch.Batch;
import dev.perigee.fault.Fault;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceColumn.Option;
import dev.perigee.source.SourceKey;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.ValueType;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A source in memory whose tables are `(id, c)`, with doors for what real ones do at bad moments: it breaks off after
/// some rows, or holds every pull until it is let through.
final class DoorSource implements Source {
    /// Rows by id, each with its cursor.
    final Map<String, TreeMap<Long, Long>> tables = new ConcurrentHashMap<>();

    /// Rows after which the next pulls break off; negative for never.
    volatile int breakAfter = -1;

    /// Whether pulls wait at [#door].
    volatile boolean isHeld;

    final Semaphore door = new Semaphore(0);
    final AtomicInteger pulls = new AtomicInteger();
    final AtomicInteger inside = new AtomicInteger();
    final AtomicInteger mostInside = new AtomicInteger();

    void put(String table, long id, long cursor) {
        tables.computeIfAbsent(table, _ -> new TreeMap<>()).put(id, cursor);
    }

    @Override
    public Info info() {
        return new Info("Doors", "here");
    }

    @Override
    public List<SourceTable> discover() {
        return tables.keySet().stream().map(this::describe).toList();
    }

    @Override
    public SourceTable describe(String name) {
        if (!tables.containsKey(name)) {
            throw Fault.SOURCE_TABLE_MISSING.in("table " + name, "it is not there", "Nothing was read");
        }
        return new SourceTable(
                new TableId("public", name),
                SourceTable.Kind.TABLE,
                List.of(column("id", 1), column("c", 2)),
                new SourceKey(List.of("id"), "primary key"),
                List.of(),
                SourceTable.Estimate.UNKNOWN,
                Map.of(),
                SourceTable.Access.FULL);
    }

    /// Every moment is the same, and all transactions have ended.
    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> wanted, Function<Snapshot, T> work) {
        return work.apply(new Snapshot() {
            @Override
            public Moment moment() {
                return new Moment(Instant.EPOCH, "now");
            }

            @Override
            public Horizon horizon() {
                return ENDED;
            }

            @Override
            public Optional<String> position() {
                return Optional.empty();
            }

            @Override
            public long pull(Pull pull, PageSink sink) {
                return through(pull, sink);
            }

            @Override
            public Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen) {
                return new Limit(Optional.of(seen), false);
            }

            @Override
            public long count(SourceTable table) {
                return tables.get(table.id().name()).size();
            }
        });
    }

    private static final Horizon ENDED = new Horizon() {
        @Override
        public Sight sight() {
            return Sight.ALL;
        }

        @Override
        public boolean seals(Moment earlier, Duration settle) {
            return true;
        }

        @Override
        public boolean hasSettled(Moment earlier, Duration settle) {
            return true;
        }

        @Override
        public Optional<Holder> oldest() {
            return Optional.empty();
        }
    };

    private long through(Pull pull, PageSink sink) {
        pulls.incrementAndGet();
        mostInside.accumulateAndGet(inside.incrementAndGet(), Math::max);
        try {
            if (isHeld) door.acquireUninterruptibly();
            return send(pull, sink);
        } finally {
            inside.decrementAndGet();
        }
    }

    private long send(Pull pull, PageSink sink) {
        List<Map.Entry<Long, Long>> rows =
                new ArrayList<>(tables.get(pull.table().id().name()).entrySet());
        rows.sort(Map.Entry.<Long, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()));
        switch (pull.scope()) {
            case Scope.After(var _, var mark) -> mark.ifPresent(m -> rows.removeIf(row -> compare(row, m) <= 0));
            case Scope.Late(var _, var sealed, var seen, var _) -> {
                sealed.ifPresent(m -> rows.removeIf(row -> compare(row, m) <= 0));
                rows.removeIf(row -> compare(row, seen) > 0);
            }
            default -> throw new IllegalStateException("the doors know no " + pull.scope());
        }
        long sent = 0;
        Batch batch = null;
        for (Map.Entry<Long, Long> row : rows) {
            if (breakAfter >= 0 && sent == breakAfter) {
                throw Fault.SOURCE_UNREACHABLE.in("the doors", "they broke off", "What was read before is kept");
            }
            if (batch == null) batch = sink.next();
            batch.putInt(row.getKey());
            batch.putInt(row.getValue());
            batch.endRow();
            sent++;
            if (batch.isFull() || sent == rows.size()) {
                sink.page(
                        batch,
                        new HighWaterMark(
                                Optional.of(row.getValue().toString()),
                                List.of(row.getKey().toString())));
                batch = null;
            }
        }
        return sent;
    }

    private static int compare(Map.Entry<Long, Long> row, HighWaterMark mark) {
        return Comparator.comparingLong((Map.Entry<Long, Long> e) -> e.getValue())
                .thenComparingLong(Map.Entry::getKey)
                .compare(
                        row,
                        Map.entry(
                                Long.parseLong(mark.key().getFirst()),
                                Long.parseLong(mark.cursor().orElseThrow())));
    }

    private static SourceColumn column(String name, int number) {
        return new SourceColumn(
                name,
                number,
                "bigint",
                ValueType.plain("bigint"),
                "INTEGER",
                Option.NONE,
                true,
                true,
                true,
                Optional.empty());
    }

    @Override
    public Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers) {
        throw Fault.SOURCE_STATEMENT.in("the doors", "they take no statements", "Nothing was run");
    }

    @Override
    public void close() {}
}
