package dev.perigee.replication;

/// What applying rows did to a copy.
///
/// @param unchanged rows the source sent that the copy already had, value for value; nothing was written for them
record Counts(long inserted, long updated, long deleted, long unchanged) {
    static final Counts NONE = new Counts(0, 0, 0, 0);

    Counts plus(Counts other) {
        return new Counts(
                inserted + other.inserted,
                updated + other.updated,
                deleted + other.deleted,
                unchanged + other.unchanged);
    }

    /// Whether any row of the copy is not as it was.
    boolean isChange() {
        return inserted + updated + deleted > 0;
    }

    /// Rows the source sent.
    long pulled() {
        return inserted + updated + unchanged;
    }

    /// By how many rows the copy grew.
    long growth() {
        return inserted - deleted;
    }
}
