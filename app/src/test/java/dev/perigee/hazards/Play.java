package dev.perigee.hazards;

import dev.perigee.hazards.Hazard.Trait;
import dev.perigee.hazards.PerigeeFollower.Mode;
import java.nio.file.Path;
import java.util.List;

/// One hazard played against Perigee: nothing may be lost, and nothing promised that does not hold.
public final class Play {
    private Play() {}

    /// @return how the copy compared with the source before anything was repaired
    /// @throws AssertionError saying what did not hold
    public static Outcome of(Hazard hazard, Mode mode, Path folder, long seed) throws Exception {
        try (Stage stage = new Stage(hazard, PerigeeFollower.by(mode), folder, seed)) {
            hazard.script().play(stage);
            Outcome outcome = stage.finish();
            boolean isPromised = mode == Mode.XMIN || !hazard.is(Trait.UNPROMISED);
            List<String> guarantees = stage.guarantees();
            boolean isSaid = stage.hasGoneBack();
            if (isPromised && !isSaid && !outcome.lost().isEmpty())
                throw broken(hazard, mode, seed, outcome.toString());
            if ((!isPromised || isSaid) && guarantees.contains("complete")) {
                throw broken(hazard, mode, seed, "it says complete where nothing can be known");
            }
            boolean isLeft = hazard.is(Trait.DELETES) || hazard.is(Trait.UNPROMISED) || isSaid;
            if (!isLeft && !outcome.isEqual()) throw broken(hazard, mode, seed, outcome.toString());
            if (isLeft) {
                stage.heal();
                Outcome healed = stage.compared();
                if (!healed.isEqual()) throw broken(hazard, mode, seed, "after it was healed: " + healed);
            }
            return outcome;
        }
    }

    private static AssertionError broken(Hazard hazard, Mode mode, long seed, String what) {
        return new AssertionError("%s, %s, seed %d: %s".formatted(hazard, mode, seed, what));
    }
}
