package dev.perigee.bench;

import dev.perigee.nasty.NastyRun;
import dev.perigee.nasty.NastyRun.Report;
import dev.perigee.nasty.NastyRun.Report.Slowest;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Several clients send a server statements that are made to exhaust it, for minutes, while an admin asks `SELECT 1` 50
/// times a second. Prints how long those took, how long the nasty ones took past their limits (a write waits for those
/// of others), and how much memory the server had. It runs in a JVM of its own with `-Xmx256m`, limits are 3 s.
///
/// Arguments: minutes (default 10), clients (default 3), seed (default the time). Exit code 1 if a bound is broken.
public final class NastyBench {
    private static final Duration LIMIT = Duration.ofSeconds(3);
    private static final Duration MAX_PROBE = Duration.ofMillis(200);
    private static final Duration MAX_PAST_LIMIT = Duration.ofSeconds(1);

    /// Of the server's process: its heap of 256 MiB and what a JVM, its threads and page caches take beside it.
    private static final long MAX_RESIDENT_MIB = 800;

    private static final String ADMIN = "admin-token-of-the-benchmark";
    private static final String CLIENT = "client-token-of-the-benchmark";

    private NastyBench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Duration duration = Duration.ofMinutes(args.length > 0 ? Long.parseLong(args[0]) : 10);
        int clients = args.length > 1 ? Integer.parseInt(args[1]) : 3;
        long seed = args.length > 2 ? Long.parseLong(args[2]) : System.currentTimeMillis();
        Path folder = Files.createTempDirectory("perigee-bench");
        try {
            System.exit(measure(folder, duration, clients, seed) ? 0 : 1);
        } finally {
            ReadComparison.delete(folder);
        }
    }

    private static boolean measure(Path folder, Duration duration, int clients, long seed)
            throws IOException, InterruptedException {
        Path settings = folder.resolve("perigee.yaml");
        Files.writeString(settings, "query: {readLimit: %1$ds, writeLimit: %1$ds}%n".formatted(LIMIT.toSeconds()));
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.perigee.cli.Main",
                        "serve",
                        "--port",
                        "0",
                        "--config",
                        settings.toString(),
                        "--data",
                        folder.resolve("data").toString())
                .redirectError(folder.resolve("server.log").toFile());
        builder.environment().put("ADMIN_AUTHORIZATION_TOKEN", ADMIN);
        builder.environment().put("CLIENT_AUTHORIZATION_TOKEN", CLIENT);
        Process server = builder.start();
        AtomicLong residentMib = new AtomicLong();
        Thread watcher = Thread.ofPlatform().daemon().start(() -> watch(server.pid(), residentMib));
        try {
            URI address = URI.create("http://127.0.0.1:" + ReadComparison.port(server.inputReader()));
            NastyRun.prepare(address, ADMIN);
            System.out.printf(
                    "Seed %d, %d clients, %d s, limits of %d s.%n",
                    seed, clients, duration.toSeconds(), LIMIT.toSeconds());
            Report report = NastyRun.play(address, CLIENT, ADMIN, clients, seed, duration);
            return print(report, clients, residentMib.get(), server.isAlive());
        } finally {
            watcher.interrupt();
            server.destroy();
            if (!server.waitFor(30, TimeUnit.SECONDS)) server.destroyForcibly();
        }
    }

    private static boolean print(Report report, int clients, long residentMib, boolean isAlive) {
        Duration longest = report.probe(1);
        boolean isInTime = print("reading", report.slowestRead(), 1) & print("writing", report.slowestWrite(), clients);
        System.out.printf("%,d nasty statements, by status: %s%n", report.count(), report.statuses());
        System.out.printf(
                "SELECT 1 of another caller, %,d times: p50 %d ms, p99 %d ms, longest %d ms%n",
                report.probes().size(),
                report.probe(0.5).toMillis(),
                report.probe(0.99).toMillis(),
                longest.toMillis());
        System.out.printf("Resident memory of the server at most: %d MiB%n", residentMib);
        report.failures().stream().limit(10).forEach(failure -> System.out.println("Not answered: " + failure));
        boolean isGood = isAlive
                && report.failures().isEmpty()
                && longest.compareTo(MAX_PROBE) <= 0
                && isInTime
                && residentMib <= MAX_RESIDENT_MIB;
        System.out.println(isGood ? "All bounds held." : "A bound was broken (server alive: %s).".formatted(isAlive));
        return isGood;
    }

    /// @param turns how many statements' limits it may take: a write waits for those of others
    private static boolean print(String what, Slowest slowest, int turns) {
        Duration past = slowest.took().minus(LIMIT.multipliedBy(turns));
        System.out.printf(
                "The slowest %s statement took %d ms, %+d ms past %d limit(s): %s%n",
                what, slowest.took().toMillis(), past.toMillis(), turns, slowest.sql());
        return past.compareTo(MAX_PAST_LIMIT.multipliedBy(turns)) <= 0;
    }

    private static void watch(long pid, AtomicLong most) {
        try {
            while (!Thread.interrupted()) {
                String pages = Files.readString(Path.of("/proc/%d/statm".formatted(pid)))
                        .split(" ")[1];
                most.accumulateAndGet(Long.parseLong(pages) * 4096 >> 20, Math::max);
                Thread.sleep(100);
            }
        } catch (IOException | InterruptedException _) {
            // It has ended.
        }
    }
}
