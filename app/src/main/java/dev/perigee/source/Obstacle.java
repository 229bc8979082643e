package dev.perigee.source;

import dev.perigee.fault.Fault;
import java.util.List;
import java.util.Optional;

/// Something at the source that makes copies wrong, weakens their guarantee, makes their syncs more expensive, or
/// deserves a note.
///
/// @param what for people: a sentence without a full stop
/// @param statements SQL that removes the obstacle, for somebody with the right to run it at the source. One of the
///     statements is enough, and the first is the usual one; empty where no statement helps
/// @param fault the fault that each sync fails with until the obstacle is gone; empty where syncs succeed, or where
///     that is not known
public record Obstacle(Effect effect, String what, List<String> statements, Optional<Fault> fault) {
    /// What happens to copies as long as the obstacle stays.
    public enum Effect {
        /// Copies would be wrong, or cannot be made.
        WRONG,
        /// The guarantee of copies is weaker.
        WEAKER,
        /// Syncs read more from the source than they would otherwise.
        DEARER,
        /// Something may go wrong at the source without being noticed, or something is left out.
        NOTE
    }

    public Obstacle {
        statements = List.copyOf(statements);
    }

    /// An obstacle that no sync is known to fail from.
    public Obstacle(Effect effect, String what, List<String> statements) {
        this(effect, what, statements, Optional.empty());
    }

    /// An obstacle that a single statement removes.
    public static Obstacle of(Effect effect, String what, String statement) {
        return new Obstacle(effect, what, List.of(statement));
    }

    /// An obstacle that no statement removes.
    public static Obstacle of(Effect effect, String what) {
        return new Obstacle(effect, what, List.of());
    }

    /// The obstacle in one sentence, with its statements.
    public String text() {
        return statements.isEmpty() ? what : what + "; to change it: " + String.join(", or ", statements);
    }
}
