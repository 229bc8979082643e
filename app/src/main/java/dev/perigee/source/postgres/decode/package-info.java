/// The values of `COPY … (FORMAT BINARY)` and of text answers, decoded into batches.
///
/// Guarantee: a value is stored as docs/types.md says, or refused with the row's key.
///
/// Start reading at [CopyRows].
@NullMarked
package dev.perigee.source.postgres.decode;

import org.jspecify.annotations.NullMarked;
