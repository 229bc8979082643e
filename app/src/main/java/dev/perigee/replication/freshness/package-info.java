/// How fresh each copy is: what of the source it has seen, and since when.
///
/// Guarantee: what is recorded for a copy was committed to the replica before. So a read that begins afterwards sees at
/// least that.
///
/// Start reading at [CopyFreshness].
@NullMarked
package dev.perigee.replication.freshness;

import org.jspecify.annotations.NullMarked;
