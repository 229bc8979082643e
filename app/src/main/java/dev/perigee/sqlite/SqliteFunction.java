package dev.perigee.sqlite;

import java.util.List;

/// A scalar function for SQL, written in Java. Called while a statement runs, on its thread.
@FunctionalInterface
public interface SqliteFunction {
    /// How SQLite may use it.
    enum Trait {
        /// The same arguments give the same result within one statement; needed for use in an index.
        DETERMINISTIC(0x800),
        /// Not from views, triggers or the schema.
        DIRECT_ONLY(0x80000),
        /// Harmless: also from a schema that is not trusted.
        INNOCUOUS(0x200000);

        final int bit;

        Trait(int bit) {
            this.bit = bit;
        }
    }

    /// The result for one row. What it throws makes the statement fail and is the cause of the [SqliteException].
    Value call(List<Value> arguments);
}
