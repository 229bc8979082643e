package dev.perigee.hazards;

import dev.perigee.hazards.Hazard.Trait;
import dev.perigee.hazards.PerigeeFollower.Mode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Every hazard, in every mode it means something in: nothing is lost, and nothing is promised that does not hold. They
/// mostly wait, so some are played at once. One alone: `-Dhazard=part_of_its_name`; another seed: `-Dhazard.seed=N`.
class HazardsTest {
    private static final int AT_ONCE = 8;
    private static final int HISTORIES = Integer.getInteger("hazard.histories", 4);
    private static final int STEPS = 100;
    private static final TimeZone ZONE = TimeZone.getDefault();

    @TempDir
    static Path folder;

    private static ExecutorService players;

    /// The server lives in another zone, and here the clock is changed twice a year.
    @BeforeAll
    static void start() {
        TimeZone.setDefault(TimeZone.getTimeZone("Europe/Zurich"));
        players = Executors.newFixedThreadPool(AT_ONCE);
    }

    @AfterAll
    static void stop() {
        players.shutdownNow();
        TimeZone.setDefault(ZONE);
    }

    @TestFactory
    Stream<DynamicTest> hazards() {
        long seed = Long.getLong("hazard.seed", System.nanoTime());
        String wanted = System.getProperty("hazard", "");
        List<DynamicTest> tests = new ArrayList<>();
        int place = 0;
        for (Hazard hazard : Hazards.all()) {
            place++;
            if (!hazard.name().contains(wanted)) continue;
            for (Mode mode : Mode.values()) {
                if (!isPlayed(hazard, place, mode)) continue;
                CompletableFuture<Void> played =
                        CompletableFuture.runAsync(() -> Quietly.run(() -> play(hazard, mode, seed)), players);
                tests.add(DynamicTest.dynamicTest("%s, %s, seed %d".formatted(hazard, mode, seed), played::join));
            }
        }
        for (int i = 0; i < HISTORIES && History.NAME.contains(wanted); i++) {
            long own = seed + i;
            Mode mode = Mode.values()[i % Mode.values().length];
            CompletableFuture<Void> played =
                    CompletableFuture.runAsync(() -> Quietly.run(() -> play(History.of(STEPS), mode, own)), players);
            tests.add(DynamicTest.dynamicTest("%s, %s, seed %d".formatted(History.NAME, mode, own), played::join));
        }
        return tests.stream();
    }

    /// All are played by cursor, and each in one of the other modes: in turn where it can be played in both. In all
    /// with `-Dhazard.modes=all`.
    ///
    /// @param place among all hazards
    private static boolean isPlayed(Hazard hazard, int place, Mode mode) {
        if (mode == Mode.CURSOR) return true;
        if (mode == Mode.XMIN && hazard.is(Trait.BY_CURSOR)) return false;
        if (hazard.tables().size() > 1 || System.getProperty("hazard.modes", "").equals("all")) return true;
        return mode == (place % 2 == 0 || hazard.is(Trait.BY_CURSOR) ? Mode.GROUP : Mode.XMIN);
    }

    private static Outcome play(Hazard hazard, Mode mode, long seed) throws Exception {
        long started = System.nanoTime();
        Outcome outcome = Play.of(hazard, mode, Files.createTempDirectory(folder, "hazard"), seed);
        System.out.printf("%-60s %-6s %5d ms  %s%n", hazard, mode, (System.nanoTime() - started) / 1_000_000, outcome);
        return outcome;
    }
}
