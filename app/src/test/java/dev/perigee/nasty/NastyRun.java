package dev.perigee.nasty;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
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
    /// @param slowest the longest that any of them took
    /// @param slowestSql its text
    /// @param probes how long each `SELECT 1` took, shortest first
    /// @param failures `SELECT 1`s that were not answered 200
    public record Report(
            Map<Integer, Integer> statuses,
            Duration slowest,
            String slowestSql,
            List<Duration> probes,
            List<String> failures) {
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
    private Duration slowest = Duration.ZERO;
    private String slowestSql = "";

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
            HttpResponse<String> answer = run.send(adminToken, table);
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
        return new Report(statuses, slowest, slowestSql, probes, List.copyOf(failures));
    }

    private void attack(String sql) {
        long begin = System.nanoTime();
        try {
            int status = send(clientToken, sql).statusCode();
            note(status, Duration.ofNanos(System.nanoTime() - begin), sql);
        } catch (IOException _) {
            note(CUT_OFF, Duration.ofNanos(System.nanoTime() - begin), sql);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void note(int status, Duration took, String sql) {
        statuses.merge(status, 1, Integer::sum);
        if (took.compareTo(slowest) <= 0) return;
        slowest = took;
        slowestSql = shortened(sql);
    }

    private void probe() throws InterruptedException {
        long begin = System.nanoTime();
        try {
            HttpResponse<String> answer = send(probeToken, "SELECT 1 AS one");
            probes.add(Duration.ofNanos(System.nanoTime() - begin));
            if (answer.statusCode() != 200) failures.add("SELECT 1: " + answer.body());
        } catch (IOException e) {
            failures.add("SELECT 1: " + e);
        }
    }

    private HttpResponse<String> send(String token, String sql) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(server.resolve("/query"))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(JsonMapper.shared().writeValueAsString(Map.of("sql", sql))))
                .build();
        return http.send(request, BodyHandlers.ofString());
    }

    private static String shortened(String sql) {
        return sql.length() > 200 ? sql.substring(0, 200) + "…" : sql;
    }
}
