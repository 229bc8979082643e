package dev.perigee.bench;

import dev.perigee.hazards.Hazard;
import dev.perigee.hazards.Hazard.Trait;
import dev.perigee.hazards.Hazards;
import dev.perigee.hazards.History;
import dev.perigee.hazards.Outcome;
import dev.perigee.hazards.PerigeeFollower.Mode;
import dev.perigee.hazards.Play;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Hazards and random histories against Perigee until the time is up, in all modes, each with a seed of its own.
final class LongHazards {
    private static final int AT_ONCE = 4;
    private static final int HISTORY_SHARE = 3;

    private final Path folder;
    private final AtomicInteger played = new AtomicInteger();
    private final AtomicInteger histories = new AtomicInteger();
    private final AtomicInteger broken = new AtomicInteger();
    private final AtomicLong rows = new AtomicLong();

    private LongHazards(Path folder) {
        this.folder = folder;
    }

    /// @return whether everything held
    static boolean run(Path folder, int minutes, long seed) {
        System.out.printf("Seed %d, %d minutes.%n", seed, minutes);
        LongHazards all = new LongHazards(folder);
        long end = System.nanoTime() + minutes * 60_000_000_000L;
        try (ExecutorService players = Executors.newFixedThreadPool(AT_ONCE)) {
            for (int i = 0; i < AT_ONCE; i++) {
                long own = seed + i;
                players.execute(() -> all.play(new Random(own), end));
            }
        }
        System.out.printf(
                "%d plays, %d of them random histories; %,d rows compared; %d broke a promise.%n",
                all.played.get(), all.histories.get(), all.rows.get(), all.broken.get());
        return all.broken.get() == 0;
    }

    private void play(Random random, long end) {
        List<Hazard> hazards = Hazards.all();
        while (System.nanoTime() < end) {
            boolean isHistory = random.nextInt(HISTORY_SHARE) > 0;
            Hazard hazard =
                    isHistory ? History.of(50 + random.nextInt(400)) : hazards.get(random.nextInt(hazards.size()));
            Mode mode = Mode.values()[random.nextInt(Mode.values().length)];
            if (mode == Mode.XMIN && hazard.is(Trait.BY_CURSOR)) mode = Mode.CURSOR;
            long seed = random.nextLong();
            try {
                Outcome outcome = Play.of(hazard, mode, Files.createTempDirectory(folder, "hazard"), seed);
                rows.addAndGet(outcome.expected());
            } catch (Exception | AssertionError e) {
                broken.incrementAndGet();
                System.out.printf("BROKEN %s, %s, seed %d: %s%n", hazard, mode, seed, e);
            }
            played.incrementAndGet();
            if (isHistory) histories.incrementAndGet();
        }
    }
}
