package dev.perigee.freshness;

import dev.perigee.freshness.FreshnessWriter.Write;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Checks that no answer is staler than its request allows. Knows nothing of Perigee but its HTTP interface, and asks
/// PostgreSQL over JDBC.
///
/// One writer commits transactions, and readers ask for rows with the writer's tokens, with positions of earlier
/// answers, and with bounds of staleness. An answer is stale if it lacks what its request names, or what was committed
/// longer before the request than its bound.
public final class FreshnessChecker {
    public static final int READERS = 64;

    private static final Duration[] BOUNDS = {
        Duration.ZERO, Duration.ofMillis(100), Duration.ofMillis(500), Duration.ofSeconds(1)
    };
    private static final Pattern VALUE = Pattern.compile("\"n\":(\\d+)");

    /// What was found.
    ///
    /// @param answers that were checked
    /// @param stale of these
    /// @param refused requests that got no answer, such as 503
    /// @param waitNanos times of the answers to requests with a token of the writer, ascending
    /// @param transactions of the writer
    /// @param sourceTransactions of all others at the source, per second
    public record Result(
            long answers,
            long stale,
            long refused,
            List<Long> waitNanos,
            long transactions,
            double sourceTransactions) {
        /// The time within which this share of the answers to requests with a token came, in milliseconds.
        public double waitMillis(double share) {
            if (waitNanos.isEmpty()) return 0;
            return waitNanos.get((int) Math.min(waitNanos.size() - 1, share * waitNanos.size())) / 1e6;
        }

        @Override
        public String toString() {
            return "%,d answers, %d stale, %d refused; with a token: p50 %.1f ms, p99 %.1f ms; %,d transactions written; %.1f others per second at the source"
                    .formatted(
                            answers,
                            stale,
                            refused,
                            waitMillis(0.5),
                            waitMillis(0.99),
                            transactions,
                            sourceTransactions);
        }
    }

    private final URI address;
    private final String token;
    private final String jdbc;
    private final int perSecond;
    private final HttpClient http;
    private final AtomicLong answers = new AtomicLong();
    private final AtomicLong stale = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private final List<Long> waits = Collections.synchronizedList(new ArrayList<>());
    private volatile String firstStale = "";

    /// @param address of a Perigee that copies the table `ledger`
    /// @param token of an admin or a client
    /// @param jdbc URL of the PostgreSQL that it copies from, with user and password
    /// @param perSecond transactions that are written per second
    public FreshnessChecker(URI address, String token, String jdbc, int perSecond) {
        this.address = address;
        this.token = token;
        this.jdbc = jdbc;
        this.perSecond = perSecond;
        this.http = HttpClient.newHttpClient();
    }

    /// Makes the table `ledger`.
    public static void create(String jdbc) throws SQLException {
        try (Connection connection = DriverManager.getConnection(jdbc);
                Statement statement = connection.createStatement()) {
            statement.execute(FreshnessWriter.TABLE);
        }
    }

    /// Writes and reads for a time.
    ///
    /// @param seed of the writer's choices
    public Result run(Duration time, long seed) throws Exception {
        try (Connection connection = DriverManager.getConnection(jdbc);
                Connection late = DriverManager.getConnection(jdbc);
                Connection watch = DriverManager.getConnection(jdbc);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            FreshnessWriter writer = new FreshnessWriter(connection, late, perSecond);
            long before = committed(watch);
            long begin = System.nanoTime();
            long end = begin + time.toNanos();
            List<Future<?>> readers = new ArrayList<>();
            for (int i = 0; i < READERS; i++) readers.add(threads.submit(() -> read(writer, end)));
            long written = writer.run(end, new Random(seed));
            for (Future<?> reader : readers) reader.get();
            double seconds = (System.nanoTime() - begin) / 1e9;
            long others = committed(watch) - before - written;
            Long[] sorted = waits.toArray(Long[]::new);
            Arrays.sort(sorted);
            return new Result(answers.get(), stale.get(), refused.get(), List.of(sorted), written, others / seconds);
        } finally {
            http.close();
        }
    }

    /// The first stale answer, for people; empty if there was none.
    public String firstStale() {
        return firstStale;
    }

    private void read(FreshnessWriter writer, long endNanos) {
        String seen = "";
        @Nullable Write of = null;
        while (System.nanoTime() < endNanos) {
            long now = System.nanoTime();
            int choice = ThreadLocalRandom.current().nextInt(4);
            if (choice == 0 && of != null && !seen.isEmpty()) {
                // What one answer has seen, a later one with its position must have seen too.
                ask(of, "X-Perigee-After", seen);
                continue;
            }
            Duration bound = BOUNDS[ThreadLocalRandom.current().nextInt(BOUNDS.length)];
            Write write = writer.recent(choice == 1 ? now - bound.toNanos() : now);
            if (write == null) continue;
            String position;
            if (choice == 1) {
                position = ask(write, "X-Perigee-Max-Staleness", bound.toMillis() + "ms");
            } else {
                List<String> tokens = write.tokens();
                long begin = System.nanoTime();
                position = ask(
                        write,
                        "X-Perigee-After",
                        tokens.get(ThreadLocalRandom.current().nextInt(tokens.size())));
                waits.add(System.nanoTime() - begin);
            }
            if (position.isEmpty()) continue;
            seen = position;
            of = write;
        }
    }

    /// Asks for a row, and checks that it has the write.
    ///
    /// @return the position of the answer; empty if there was none
    private String ask(Write write, String header, String value) {
        String body = "{\"sql\":\"SELECT n FROM ledger WHERE id = ?\",\"params\":[%d]}".formatted(write.id());
        HttpRequest request = HttpRequest.newBuilder(address.resolve("/query"))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .header(header, value)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) {
                refused.incrementAndGet();
                return "";
            }
            answers.incrementAndGet();
            Matcher n = VALUE.matcher(response.body());
            if (!n.find() || Long.parseLong(n.group(1)) < write.n()) {
                stale.incrementAndGet();
                firstStale = "%s: %s, row %d: %s, expected at least %d; %s"
                        .formatted(
                                header,
                                value,
                                write.id(),
                                response.body(),
                                write.n(),
                                response.headers().map());
            }
            return response.headers().firstValue("X-Perigee-Position").orElse("");
        } catch (IOException e) {
            refused.incrementAndGet();
            return "";
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static long committed(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()")) {
            row.next();
            return row.getLong(1);
        }
    }
}
