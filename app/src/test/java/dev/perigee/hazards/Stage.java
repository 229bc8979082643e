package dev.perigee.hazards;

import dev.perigee.testing.TcpProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/// What a script has at hand: a server with the hazard's tables, writers, and a follower behind a network that can
/// fail.
///
/// After each poll it is checked that what the follower promises holds: where it says that its copy is complete as of a
/// time, all rows that were committed before that time are in it.
public final class Stage implements AutoCloseable {
    /// Polls in a row that may fail before a hazard is given up, once its script has ended.
    private static final int MAX_FAILED = 20;

    private static final Duration CATCH_UP_LIMIT = Duration.ofMinutes(1);
    private static final long PAUSE_MILLIS = 50;

    private boolean hasGoneBack;
    private final Hazard hazard;
    private final HazardServer server;
    private final TcpProxy wire;
    private final Follower follower;
    private final SteppedClock clock = new SteppedClock();
    private Connection admin;
    private final List<Session> sessions = new ArrayList<>();
    private final Map<String, Watch> watches = new HashMap<>();
    private final Random random;

    public Stage(Hazard hazard, Follower.Kind kind, Path folder, long seed) throws Exception {
        this.hazard = hazard;
        this.random = new Random(seed);
        this.server = new HazardServer(
                Files.createDirectories(folder.resolve("postgres")), hazard.is(Hazard.Trait.OWN_SERVER));
        this.wire = new TcpProxy(server.port());
        this.admin = server.connect();
        execute(hazard.schema());
        this.follower = kind.open(
                new Follower.Wiring(
                        wire.port(),
                        server.database(),
                        Files.createDirectories(folder.resolve("copy")),
                        clock,
                        !hazard.is(Hazard.Trait.UNPROMISED) && isStamped()),
                hazard.tables());
    }

    public Random random() {
        return random;
    }

    public Follower follower() {
        return follower;
    }

    /// The network between follower and server; writers do not use it.
    public TcpProxy wire() {
        return wire;
    }

    /// The follower's clock.
    public SteppedClock clock() {
        return clock;
    }

    /// Has something happen between two pages of the next poll.
    public void betweenPages(Quietly.Action action) {
        follower.onNextPage(() -> Quietly.run(action));
    }

    /// Polls on another thread.
    public CompletableFuture<Optional<String>> startPoll() {
        return start(follower::poll);
    }

    /// Polls on another thread, and checks what is promised. Nobody else may poll meanwhile.
    public CompletableFuture<Optional<String>> startWatchedPoll() {
        return start(this::tryPoll);
    }

    private static CompletableFuture<Optional<String>> start(Callable<Optional<String>> poll) {
        CompletableFuture<Optional<String>> polled = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                polled.complete(poll.call());
            } catch (Exception | Error e) {
                polled.completeExceptionally(e);
            }
        });
        return polled;
    }

    /// Waits until somebody waits for a lock.
    public void awaitBlocked() throws Exception {
        try (Statement statement = admin.createStatement()) {
            while (true) {
                try (ResultSet row = statement.executeQuery("SELECT count(*) FROM pg_locks WHERE NOT granted")) {
                    row.next();
                    if (row.getInt(1) > 0) return;
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        }
    }

    /// A writer of its own.
    public Session session() throws SQLException {
        Session session = new Session(server.connect());
        sessions.add(session);
        return session;
    }

    /// Runs and commits.
    public void execute(String sql) throws SQLException {
        try (Statement statement = admin.createStatement()) {
            statement.execute(sql);
        }
    }

    /// Runs and commits each of `sql`, as writers with other settings do.
    public void execute(List<String> sql) throws SQLException {
        for (String one : sql) execute(one);
    }

    /// Ends the server as a crash does, and starts it again.
    public void crashServer() throws IOException, SQLException {
        server.crash();
        admin = server.connect();
    }

    /// Lets nobody in and throws the follower out, or lets all in again.
    public void letIn(boolean isOpen) throws SQLException {
        server.letIn(isOpen);
    }

    /// Lets more time pass at the server than the guard that is kept around the start of transactions.
    public void pastGuard() throws SQLException {
        execute("SELECT pg_sleep(1.1)");
    }

    /// Polls, and must succeed.
    public void poll() throws Exception {
        Optional<String> failure = tryPoll();
        if (failure.isEmpty() || hasGoneBack(failure.get())) return;
        throw new AssertionError("%s: the poll failed: %s".formatted(hazard, failure.get()));
    }

    /// Whether the follower has said that the source went back, and waits for somebody to have it healed.
    public boolean hasGoneBack() {
        return hasGoneBack;
    }

    private boolean hasGoneBack(String failure) {
        hasGoneBack |= hazard.is(Hazard.Trait.GOES_BACK) && failure.startsWith("SOURCE_BEHIND_CURSOR");
        return hasGoneBack;
    }

    public void poll(int times) throws Exception {
        for (int i = 0; i < times; i++) poll();
    }

    /// Polls, which may fail.
    public Optional<String> tryPoll() throws Exception {
        if (follower.promise(hazard.tables().getFirst()).isEmpty()) return follower.poll();
        List<Watch> watching = new ArrayList<>();
        for (Hazard.Table table : hazard.tables()) watching.add(watch(table));
        for (Watch one : watching) one.before(rows(one.table()), serverTime());
        Optional<String> failure = follower.poll();
        for (Watch one : watching) one.after(rows(one.table()), this::isGrown);
        return failure;
    }

    /// Ends the script: writers are rolled back, the network works, and it is polled until the follower says that it
    /// has seen everything; one that says nothing is polled twice.
    public Outcome finish() throws Exception {
        for (Session session : sessions) session.close();
        wire.heal();
        Instant end = serverTime();
        long limit = System.nanoTime() + CATCH_UP_LIMIT.toNanos();
        int failed = 0;
        for (int polls = 0; polls < 2 || !hasSeen(end); ) {
            Optional<String> failure = tryPoll();
            if (failure.isEmpty()) polls++;
            else if (hasGoneBack(failure.get())) break;
            else if (++failed > MAX_FAILED) throw new AssertionError(hazard + ": " + failure.get());
            if (System.nanoTime() - limit > 0) throw new AssertionError(hazard + ": it never caught up with " + end);
            if (failure.isPresent() || polls >= 2) Thread.sleep(PAUSE_MILLIS);
        }
        return compared();
    }

    /// Copy and source as they are now.
    public Outcome compared() throws Exception {
        Outcome outcome = new Outcome(0, Set.of(), Set.of());
        for (Hazard.Table table : hazard.tables()) {
            outcome = outcome.plus(Outcome.of(rows(table), follower.rows(table)));
        }
        return outcome;
    }

    public boolean heal() throws Exception {
        return follower.healed();
    }

    /// The follower's words for what it promises, of all tables.
    public List<String> guarantees() throws Exception {
        List<String> guarantees = new ArrayList<>();
        for (Hazard.Table table : hazard.tables()) {
            follower.promise(table).ifPresent(promise -> guarantees.add(promise.guarantee()));
        }
        return guarantees;
    }

    private boolean hasSeen(Instant end) throws Exception {
        for (Hazard.Table table : hazard.tables()) {
            Optional<Follower.Promise> promise = follower.promise(table);
            boolean hasSeen = promise.isEmpty()
                    || promise.get()
                            .completeAsOf()
                            .filter(at -> at.isAfter(end))
                            .isPresent();
            if (!hasSeen) return false;
        }
        return true;
    }

    /// The source's rows: `v` by key.
    Map<String, String> rows(Hazard.Table table) throws SQLException {
        Map<String, String> rows = new HashMap<>();
        try (Statement statement = admin.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT \"%s\"::text, v FROM %s".formatted(table.key(), table.name()))) {
            while (row.next()) rows.put(row.getString(1), row.getString(2));
        }
        return rows;
    }

    Instant serverTime() throws SQLException {
        try (Statement statement = admin.createStatement();
                ResultSet row = statement.executeQuery("SELECT clock_timestamp()")) {
            row.next();
            return row.getObject(1, OffsetDateTime.class).toInstant();
        }
    }

    /// Whether the schema itself gives all cursors their values: by a default, a sequence or a trigger.
    private boolean isStamped() throws SQLException {
        try (PreparedStatement statement = admin.prepareStatement("""
                SELECT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ?::regclass AND a.attname = ?
                                   AND (a.atthasdef OR a.attidentity <> ''))
                    OR EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = ?::regclass AND NOT g.tgisinternal)""")) {
            for (Hazard.Table table : hazard.tables()) {
                statement.setString(1, table.name());
                statement.setString(2, table.cursor());
                statement.setString(3, table.name());
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    if (!row.getBoolean(1)) return false;
                }
            }
            return true;
        }
    }

    private Watch watch(Hazard.Table table) {
        return watches.computeIfAbsent(table.name(), _ -> new Watch(hazard.name(), table, follower));
    }

    /// Whether a cursor's value is not less than one before, as the source compares them.
    private boolean isGrown(Hazard.Table table, String before, String after) throws SQLException {
        try (Statement statement = admin.createStatement()) {
            String type;
            try (ResultSet row = statement.executeQuery("""
                    SELECT format_type(atttypid, NULL) FROM pg_attribute
                    WHERE attrelid = '%s'::regclass AND attname = '%s'""".formatted(table.name(), table.cursor()))) {
                row.next();
                type = row.getString(1);
            }
            if (type.equals("text")) return true; // its collation is the column's, and says more than the type
            try (ResultSet row =
                    statement.executeQuery("SELECT '%s'::%s >= '%s'::%s".formatted(after, type, before, type))) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    @Override
    public void close() throws IOException, SQLException {
        follower.close();
        for (Session session : sessions) session.close();
        admin.close();
        wire.close();
        server.close();
    }
}
