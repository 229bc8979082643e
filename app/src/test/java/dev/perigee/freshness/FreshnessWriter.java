package dev.perigee.freshness;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Writes to the table `ledger` of a PostgreSQL, and remembers what it has committed and when. A row's `n` only grows.
///
/// Some of its transactions stay open for a while on a second connection. They commit behind others with greater cursor
/// values.
final class FreshnessWriter {
    static final int ROWS = 200;

    /// Rows of the second connection, so that neither waits for the other's locks.
    private static final int LATE_ROWS = 20;

    /// How many of the last writes readers choose from.
    private static final int KEPT = 2000;

    private static final int LATE_EVERY = 20;
    private static final int LOG_EVERY = 7;
    private static final Duration LATE_FOR = Duration.ofMillis(40);

    static final String TABLE = """
            CREATE TABLE ledger (id int PRIMARY KEY, n bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
            INSERT INTO ledger SELECT i, 0 FROM generate_series(0, %d) i;
            CREATE INDEX ON ledger (at)""".formatted(ROWS + LATE_ROWS - 1);

    private static final String WRITE =
            "UPDATE ledger SET n = ?, at = now() WHERE id = ? RETURNING pg_current_xact_id()::text";

    /// A committed write.
    ///
    /// @param n what the row has at least since then
    /// @param tokens name the write, or what had been committed right after it
    record Write(int id, long n, List<String> tokens, long committedNanos) {}

    private final Connection connection;
    private final Connection late;
    private final int perSecond;
    private final Deque<Write> writes = new ArrayDeque<>();
    private final String system;
    private final String timeline;
    private long n;
    private @Nullable Write open;
    private long openUntilNanos;

    FreshnessWriter(Connection connection, Connection late, int perSecond) throws SQLException {
        this.connection = connection;
        this.late = late;
        this.perSecond = perSecond;
        this.system = value("SELECT system_identifier FROM pg_control_system()");
        this.timeline = value("SELECT timeline_id FROM pg_control_checkpoint()");
        connection.setAutoCommit(false);
        late.setAutoCommit(false);
    }

    /// Writes until `endNanos`, at the rate or as fast as it can.
    ///
    /// @return the number of transactions
    long run(long endNanos, Random random) throws SQLException {
        long begin = System.nanoTime();
        long written = 0;
        try (PreparedStatement write = connection.prepareStatement(WRITE);
                PreparedStatement lateWrite = late.prepareStatement(WRITE)) {
            while (System.nanoTime() < endNanos) {
                LockSupport.parkNanos(begin + written * 1_000_000_000L / perSecond - System.nanoTime());
                String token = written(write, random.nextInt(ROWS));
                connection.commit();
                long committed = System.nanoTime();
                List<String> tokens = new CopyOnWriteArrayList<>(List.of(token));
                if (written % LOG_EVERY == 0) addPlaces(tokens);
                add(new Write(last, n, tokens, committed));
                written++;
                if (open != null && System.nanoTime() > openUntilNanos) commitLate();
                if (open == null && written % LATE_EVERY == 0) beginLate(lateWrite, random);
            }
            if (open != null) commitLate();
        }
        return written;
    }

    private int last;

    private String written(PreparedStatement write, int id) throws SQLException {
        write.setLong(1, ++n);
        write.setInt(2, id);
        last = id;
        try (ResultSet row = write.executeQuery()) {
            row.next();
            return "x:" + system + ":" + row.getString(1);
        }
    }

    private void beginLate(PreparedStatement write, Random random) throws SQLException {
        int id = ROWS + random.nextInt(LATE_ROWS);
        String token = written(write, id);
        open = new Write(id, n, List.of(token), 0);
        openUntilNanos = System.nanoTime() + LATE_FOR.toNanos();
    }

    private void commitLate() throws SQLException {
        Write ended = open;
        open = null;
        if (ended == null) return;
        late.commit();
        add(new Write(ended.id(), ended.n(), ended.tokens(), System.nanoTime()));
    }

    /// Adds the log's position and the source's time, as they are after the commit.
    private void addPlaces(List<String> tokens) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_current_wal_insert_lsn(), clock_timestamp()")) {
            row.next();
            tokens.add("l:%s:%s:%s".formatted(system, timeline, row.getString(1)));
            tokens.add("t:" + row.getObject(2, OffsetDateTime.class).toInstant());
        }
        connection.commit();
    }

    private void add(Write write) {
        synchronized (writes) {
            if (writes.size() == KEPT) writes.removeFirst();
            writes.addLast(write);
        }
    }

    /// One of the last writes; null if there is none yet.
    ///
    /// @param beforeNanos committed before this time
    @Nullable
    Write recent(long beforeNanos) {
        int skipped = ThreadLocalRandom.current().nextInt(3);
        synchronized (writes) {
            for (var all = writes.descendingIterator(); all.hasNext(); ) {
                Write write = all.next();
                if (write.committedNanos() <= beforeNanos && skipped-- <= 0) return write;
            }
            return null;
        }
    }

    private String value(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
