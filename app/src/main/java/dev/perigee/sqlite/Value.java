package dev.perigee.sqlite;

import java.nio.ByteBuffer;

/// One cell of a row, in one of the five storage classes SQLite has. Immutable: safe to share between threads.
///
/// @see <a href="https://www.sqlite.org/datatype3.html">SQLite: Datatypes, section 2</a>
public sealed interface Value {
    /// SQL NULL; there is one.
    enum Null implements Value {
        NULL
    }

    /// A signed 64-bit integer.
    record Int(long value) implements Value {}

    /// An IEEE 754 double, never NaN.
    record Real(double value) implements Value {
        public Real {
            // SQLite stores NaN as NULL without a word; refuse it while the column is still known.
            if (Double.isNaN(value)) throw new IllegalArgumentException("NaN has no SQLite value");
        }
    }

    /// Unicode text.
    record Text(String value) implements Value {}

    /// Bytes, compared by content. The view is read-only; callers give up the array behind it.
    record Blob(ByteBuffer bytes) implements Value {
        public Blob {
            bytes = bytes.asReadOnlyBuffer();
        }

        @Override
        public ByteBuffer bytes() {
            return bytes.duplicate();
        }
    }
}
