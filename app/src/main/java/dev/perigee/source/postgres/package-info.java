/// PostgreSQL 13 to 18 as a source: catalog discovery, `COPY … (FORMAT BINARY)` decoded into batches, typed queries.
///
/// Guarantee: no value is changed on the way without a fault or a note in the table's description.
///
/// Start reading at [PostgresSource].
@NullMarked
package dev.perigee.source.postgres;

import org.jspecify.annotations.NullMarked;
