package dev.perigee.source;

import dev.perigee.fault.Fault;
import java.util.List;
import java.util.Optional;

/// Something at the source that makes copies wrong, their promise weaker or their syncs dearer.
///
/// @param what for people: a sentence without a full stop
/// @param statements what changes it, for somebody with the right to run them at the source: one of them is enough, the
///     first is the usual one; empty where no statement helps
/// @param fault what each sync fails with until the obstacle is gone; empty where syncs succeed, or where that is not
///     known
public record Obstacle(Effect effect, String what, List<String> statements, Optional<Fault> fault) {
    /// What becomes of copies where nothing is done about it.
    public enum Effect {
        /// They would be wrong, or cannot be made.
        WRONG,
        /// Less is promised.
        WEAKER,
        /// Syncs ask more of the source than they would need to.
        DEARER,
        /// Something that may go wrong at the source is not noticed, or something is left out.
        NOTE
    }

    public Obstacle {
        statements = List.copyOf(statements);
    }

    /// One that no sync is known to fail of.
    public Obstacle(Effect effect, String what, List<String> statements) {
        this(effect, what, statements, Optional.empty());
    }

    /// One that a single statement removes.
    public static Obstacle of(Effect effect, String what, String statement) {
        return new Obstacle(effect, what, List.of(statement));
    }

    /// One that no statement removes.
    public static Obstacle of(Effect effect, String what) {
        return new Obstacle(effect, what, List.of());
    }

    /// In one sentence, with the statements.
    public String text() {
        return statements.isEmpty() ? what : what + "; to change it: " + String.join(", or ", statements);
    }
}
