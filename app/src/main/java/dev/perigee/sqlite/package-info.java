/// SQLite's C API through `java.lang.foreign`: library, connection, statement, authorizer. It knows nothing about the
/// rest of Perigee except its faults.
///
/// Guarantee: a native object is never used after it is closed, nor by two threads at once.
///
/// Start reading at [SqliteConnection].
@NullMarked
package dev.perigee.sqlite;

import org.jspecify.annotations.NullMarked;
