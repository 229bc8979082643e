/// Decodes the values of `COPY … (FORMAT BINARY)`, and of text answers, into batches.
///
/// Guarantee: a value is stored as docs/types.md says, or its row is refused, with the key.
///
/// Start reading at [CopyRows].
@NullMarked
package dev.perigee.source.postgres.decode;

import org.jspecify.annotations.NullMarked;
