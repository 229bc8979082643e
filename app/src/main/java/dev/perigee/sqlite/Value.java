package dev.perigee.sqlite;

import java.nio.ByteBuffer;

/// One cell of a row, in one of the five storage classes SQLite has. Immutable: safe to share between threads.
///
/// @see <a href="https://www.sqlite.org/datatype3.html">SQLite: Datatypes, section 2</a>
public sealed interface Value {
    /// SQL NULL, the only value of its kind.
    enum Null implements Value {
        NULL
    }

    /// A signed 64-bit integer.
    record Int(long value) implements Value {}

    /// An IEEE 754 double, never NaN.
    record Real(double value) implements Value {
        public Real {
            // SQLite silently stores NaN as NULL; refuse it while the column is still known.
            if (Double.isNaN(value)) throw new IllegalArgumentException("NaN has no SQLite value");
        }
    }

    /// Unicode text.
    record Text(String value) implements Value {}

    /// Bytes, compared by content. The buffer is read-only; the caller must not change the array behind it afterwards.
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
