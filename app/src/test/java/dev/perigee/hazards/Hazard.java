package dev.perigee.hazards;

import java.util.List;
import java.util.Set;

/// One way of losing rows: a schema, what writers do to it, and when it is polled.
///
/// @param name a claim about what happens, in words joined by underscores
/// @param schema SQL that makes the tables, each with a text column `v` that every write gives a new value
/// @param tables those that are followed
/// @param script what happens; sessions it leaves open are rolled back
public record Hazard(String name, String schema, List<Table> tables, Set<Trait> traits, Script script) {
    /// @param cursor the column to follow it by
    /// @param key the column that identifies a row
    public record Table(String name, String cursor, String key) {}

    /// What makes a hazard different from others.
    public enum Trait {
        /// Rows leave the source: a copy may have them until it is healed.
        DELETES,
        /// The cursor's values cannot tell what is new, so that a copy by cursor may lack rows until it is healed. Its
        /// status must not say that it is complete then.
        UNPROMISED,
        /// The source goes back: a copy by cursor may say so by its fault, take over nothing, and wait to be healed.
        GOES_BACK,
        /// The server is stopped, so it must not be shared.
        OWN_SERVER,
        /// Only the way in which rows are found by a cursor is at stake.
        BY_CURSOR
    }

    /// What happens.
    @FunctionalInterface
    public interface Script {
        void play(Stage stage) throws Exception;
    }

    public Hazard {
        tables = List.copyOf(tables);
        traits = Set.copyOf(traits);
    }

    /// A hazard of a table `t` followed by its column `c` and identified by `id`.
    static Hazard of(String name, String schema, Script script, Trait... traits) {
        return new Hazard(name, schema, List.of(new Table("t", "c", "id")), Set.of(traits), script);
    }

    public boolean is(Trait trait) {
        return traits.contains(trait);
    }

    @Override
    public String toString() {
        return name;
    }
}
