package dev.perigee.bench;

import dev.perigee.hazards.Follower;
import dev.perigee.hazards.Hazard;
import dev.perigee.hazards.Hazard.Trait;
import dev.perigee.hazards.Hazards;
import dev.perigee.hazards.Outcome;
import dev.perigee.hazards.PerigeeFollower;
import dev.perigee.hazards.PerigeeFollower.Mode;
import dev.perigee.hazards.Stage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Plays every hazard against Perigee, a plain JDBC poller and one that pages by `(cursor, key)`, and prints who lost
/// how many rows. `--long [minutes [seed]]` plays hazards and random histories against Perigee alone until the time is
/// up.
///
/// Both run in a zone whose clock is changed twice a year, which the server's is not.
public final class HazardComparison {
    private static final int AT_ONCE = 4;

    private HazardComparison() {}

    public static void main(String[] args) throws Exception {
        TimeZone.setDefault(TimeZone.getTimeZone("Europe/Zurich"));
        Path folder = Files.createTempDirectory("perigee-hazards");
        boolean isLong = args.length > 0 && args[0].equals("--long");
        boolean isGood = isLong
                ? LongHazards.run(
                        folder,
                        args.length > 1 ? Integer.parseInt(args[1]) : 10,
                        args.length > 2 ? Long.parseLong(args[2]) : System.nanoTime())
                : compare(folder, args.length > 0 ? Long.parseLong(args[0]) : System.nanoTime());
        System.exit(isGood ? 0 : 1); // the pools' threads would hold it up
    }

    private static boolean compare(Path folder, long seed) throws Exception {
        System.out.printf("Seed %d.%n%n", seed);
        System.out.println(
                "| hazard | rows that must arrive | `cursor >` lost | `(cursor, key) >` lost | Perigee lost |");
        System.out.println("|---|--:|--:|--:|--:|");
        try (ExecutorService players = Executors.newFixedThreadPool(AT_ONCE)) {
            List<Future<Row>> rows = new ArrayList<>();
            for (Hazard hazard : Hazards.all()) rows.add(players.submit(() -> row(hazard, folder, seed)));
            long plain = 0;
            long composite = 0;
            long perigee = 0;
            for (Future<Row> future : rows) {
                Row row = future.get();
                System.out.println(row);
                plain += row.plain.lost();
                composite += row.composite.lost();
                perigee += row.perigee.lost();
            }
            System.out.printf("| **all** | | **%d** | **%d** | **%d** |%n", plain, composite, perigee);
            return rows.stream().allMatch(row -> row.resultNow().perigee.isKept());
        }
    }

    private record Row(Hazard hazard, Result plain, Result composite, Result perigee) {
        @Override
        public String toString() {
            return "| %s | %d | %s | %s | %s |"
                    .formatted(hazard.name().replace('_', ' '), perigee.expected(), plain, composite, perigee);
        }
    }

    /// @param repaired whether copy and source were equal after it repaired the copy; false for those that cannot
    /// @param promise what it said of its copy
    /// @param hasGoneBack whether it said by its fault that the source went back, and waited to be recovered
    private record Result(
            int expected, int lost, int extra, boolean repaired, boolean hasGoneBack, String promise, String failure) {
        boolean isKept() {
            return failure.isEmpty() && (lost == 0 || (repaired && !promise.equals("complete")));
        }

        @Override
        public String toString() {
            if (!failure.isEmpty()) return failure;
            if (hasGoneBack) return "`SOURCE_BEHIND_CURSOR`, then %d after `recover`".formatted(lost);
            String said = lost > 0 && !promise.isEmpty() ? "%d, and says `%s`".formatted(lost, promise) : "" + lost;
            String kept = extra > 0 ? "%s; %d deleted still there".formatted(said, extra) : said;
            return repaired ? kept + "; 0 after repair" : kept;
        }
    }

    private static Row row(Hazard hazard, Path folder, long seed) throws Exception {
        return new Row(
                hazard,
                result(hazard, JdbcPoller.plain(), folder, seed),
                result(hazard, JdbcPoller.composite(), folder, seed),
                result(hazard, PerigeeFollower.by(Mode.CURSOR), folder, seed));
    }

    private static Result result(Hazard hazard, Follower.Kind kind, Path folder, long seed) throws Exception {
        try (Stage stage = new Stage(hazard, kind, Files.createTempDirectory(folder, "hazard"), seed)) {
            hazard.script().play(stage);
            Outcome outcome = stage.finish();
            String promise = stage.guarantees().stream().findFirst().orElse("");
            boolean mayLack = hazard.is(Trait.DELETES) || hazard.is(Trait.UNPROMISED) || stage.hasGoneBack();
            boolean isRepaired = mayLack && stage.heal() && stage.compared().isEqual();
            return new Result(
                    outcome.expected(),
                    stage.hasGoneBack() && isRepaired ? 0 : outcome.lost().size(),
                    outcome.extra().size(),
                    isRepaired,
                    stage.hasGoneBack(),
                    promise,
                    "");
        } catch (AssertionError | Exception e) {
            System.err.println(hazard + ": " + e);
            return new Result(0, 0, 0, false, false, "", "stopped by it");
        }
    }
}
