package dev.perigee.replication.copy;

/// What applying rows did to a copy.
///
/// @param unchanged rows the source sent that the copy already had, value for value; nothing was written for them
public record RowCounts(long inserted, long updated, long deleted, long unchanged) {
    public static final RowCounts NONE = new RowCounts(0, 0, 0, 0);

    public RowCounts plus(RowCounts other) {
        return new RowCounts(
                inserted + other.inserted,
                updated + other.updated,
                deleted + other.deleted,
                unchanged + other.unchanged);
    }

    /// Whether any row of the copy is not as it was.
    public boolean isChange() {
        return inserted + updated + deleted > 0;
    }

    /// Rows the source sent.
    public long pulled() {
        return inserted + updated + unchanged;
    }

    /// By how many rows the copy grew.
    public long growth() {
        return inserted - deleted;
    }
}
