package dev.perigee.replication.copy;

import com.fasterxml.jackson.annotation.JsonIgnore;

/// How many rows of a copy were inserted, updated, deleted or left unchanged.
///
/// @param unchanged rows the source sent that the copy already had, with equal values; nothing was written for them
public record RowCounts(long inserted, long updated, long deleted, long unchanged) {
    public static final RowCounts NONE = new RowCounts(0, 0, 0, 0);

    public RowCounts plus(RowCounts other) {
        return new RowCounts(
                inserted + other.inserted,
                updated + other.updated,
                deleted + other.deleted,
                unchanged + other.unchanged);
    }

    /// Whether any row of the copy was changed.
    @JsonIgnore
    public boolean isChange() {
        return inserted + updated + deleted > 0;
    }

    /// Rows that the source sent. Rows that could not be stored, and marked rows that removed a row of the copy, are
    /// not counted.
    public long pulled() {
        return inserted + updated + unchanged;
    }

    /// The number of rows by which the copy grew; negative where it shrank.
    public long growth() {
        return inserted - deleted;
    }
}
