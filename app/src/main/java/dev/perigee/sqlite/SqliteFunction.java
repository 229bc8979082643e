package dev.perigee.sqlite;

import java.util.List;

/// A scalar SQL function written in Java. SQLite calls it while a statement runs, on the statement's thread.
@FunctionalInterface
public interface SqliteFunction {
    /// Where and how SQLite may use the function.
    enum Trait {
        /// The same arguments give the same result within one statement. Required for use in an index.
        DETERMINISTIC(0x800),
        /// The function cannot be used in views, triggers or the schema.
        DIRECT_ONLY(0x80000),
        /// The function is harmless: it may also be used by a schema that is not trusted.
        INNOCUOUS(0x200000);

        final int bit;

        Trait(int bit) {
            this.bit = bit;
        }
    }

    /// Computes the result for one call. What it throws makes the statement fail and becomes the cause of the
    /// [SqliteException].
    Value call(List<Value> arguments);
}
