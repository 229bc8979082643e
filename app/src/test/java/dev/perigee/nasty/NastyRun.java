package dev.perigee.nasty;

import dev.perigee.nasty.NastyRun.Report.Slowest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/// Sends a server [NastyStatements] from several clients at once, and `SELECT 1` as somebody else all along.
public final class NastyRun {
    /// In place of the status where an answer that had begun was cut off, as it is when the statement reaches a limit.
    public static final int CUT_OFF = 0;

    private static final Duration PAUSE = Duration.ofMillis(20);

    /// What a client waits for an answer at most, far beyond any limit.
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /// @param statuses how many nasty statements got which status
    /// @param slowestRead the reading one that took longest
    /// @param slowestWrite the writing one that took longest, its wait for others' writes included
    /// @param probes how long each `SELECT 1` took, shortest first
    /// @param failures `SELECT 1`s that were not answered 200
    public record Report(
            Map<Integer, Integer> statuses,
            Slowest slowestRead,
            Slowest slowestWrite,
            List<Duration> probes,
            List<String> failures) {
        /// @param sql the beginning of its text
        public record Slowest(Duration took, String sql) {}

        public int count() {
            return statuses.values().stream().mapToInt(Integer::intValue).sum();
        }

        /// The probes' time that `share` of them did not pass.
        public Duration probe(double share) {
            return probes.get((int) Math.min(probes.size() - 1L, Math.round(share * probes.size())));
        }
    }

    private final URI server;
    private final String clientToken;
    private final String probeToken;
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<Integer, Integer> statuses = new TreeMap<>();
    private final List<Duration> probes = new ArrayList<>();
    private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
    private Slowest slowestRead = new Slowest(Duration.ZERO, "");
    private Slowest slowestWrite = slowestRead;

    private NastyRun(URI server, String clientToken, String probeToken) {
        this.server = server;
        this.clientToken = clientToken;
        this.probeToken = probeToken;
    }

    /// Makes the tables that the statements use.
    public static void prepare(URI server, String adminToken) throws IOException, InterruptedException {
        NastyRun run = new NastyRun(server, adminToken, adminToken);
        List<String> tables = new ArrayList<>(List.of(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)",
                "INSERT INTO t VALUES (1, 1, 2, 3), (2, 2, 3, 4), (3, 3, 4, 5), (4, 4, 5, 6)"));
        for (int i = 0; i < 5; i++) tables.add("CREATE TABLE n%d (i)".formatted(i));
        for (String table : tables) {
            HttpResponse<String> answer = run.send(adminToken, table, BodyHandlers.ofString());
            if (answer.statusCode() != 200) throw new IOException(answer.body());
        }
    }

    /// @param probeToken whose `SELECT 1` it is
    public static Report play(
            URI server, String clientToken, String probeToken, int clients, long seed, Duration duration)
            throws InterruptedException {
        return new NastyRun(server, clientToken, probeToken).play(clients, seed, duration);
    }

    private Report play(int clients, long seed, Duration duration) throws InterruptedException {
        long end = System.nanoTime() + duration.toNanos();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            NastyStatements statements = new NastyStatements(seed + i);
            threads.add(Thread.ofPlatform().start(() -> {
                while (System.nanoTime() < end) attack(statements.next());
            }));
        }
        while (System.nanoTime() < end) {
            probe();
            Thread.sleep(PAUSE);
        }
        for (Thread thread : threads) thread.join();
        Collections.sort(probes);
        return new Report(statuses, slowestRead, slowestWrite, probes, List.copyOf(failures));
    }

    private void attack(String sql) {
        long begin = System.nanoTime();
        try {
            // Nobody looks at the rows: what they take here must not delay the probes.
            int status = send(clientToken, sql, BodyHandlers.discarding()).statusCode();
            note(status, Duration.ofNanos(System.nanoTime() - begin), sql);
        } catch (IOException _) {
            note(CUT_OFF, Duration.ofNanos(System.nanoTime() - begin), sql);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void note(int status, Duration took, String sql) {
        statuses.merge(status, 1, Integer::sum);
        Slowest noted = new Slowest(took, shortened(sql));
        if (isRead(sql)) slowestRead = slower(slowestRead, noted);
        else slowestWrite = slower(slowestWrite, noted);
    }

    private static boolean isRead(String sql) {
        return sql.startsWith("SELECT") || sql.startsWith("WITH");
    }

    private static Slowest slower(Slowest one, Slowest other) {
        return other.took().compareTo(one.took()) > 0 ? other : one;
    }

    private void probe() throws InterruptedException {
        long begin = System.nanoTime();
        try {
            HttpResponse<String> answer = send(probeToken, "SELECT 1 AS one", BodyHandlers.ofString());
            probes.add(Duration.ofNanos(System.nanoTime() - begin));
            if (answer.statusCode() != 200) failures.add("SELECT 1: " + answer.body());
        } catch (IOException e) {
            failures.add("SELECT 1: " + e);
        }
    }

    private <T> HttpResponse<T> send(String token, String sql, BodyHandler<T> body)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(server.resolve("/query"))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(JsonMapper.shared().writeValueAsString(Map.of("sql", sql))))
                .build();
        return http.send(request, body);
    }

    private static String shortened(String sql) {
        return sql.length() > 200 ? sql.substring(0, 200) + "…" : sql;
    }
}
