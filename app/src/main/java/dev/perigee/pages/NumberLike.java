package dev.perigee.pages;

import dev.perigee.batch.Batch;

/// Whether a text might be a number for SQLite, which a column with numeric affinity would then convert. Such columns
/// rarely hold text: mostly `NaN`.
final class NumberLike {
    /// Only so many bytes are looked at.
    private static final int MAX_BYTES = 64;

    private static final String BYTES = "0123456789+-.eE \t\n\f\r\u000b";

    private NumberLike() {}

    static boolean is(Batch batch, int row, int column) {
        int length = Math.min(batch.lengthAt(row, column), MAX_BYTES);
        for (int i = 0; i < length; i++) {
            if (BYTES.indexOf(batch.byteAt(row, column, i)) < 0) return false;
        }
        return length > 0;
    }
}
