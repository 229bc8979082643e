/// Whether the source is still the same one, and whether its table is still defined as the copy is.
///
/// Guarantee: nothing is applied to a copy before its source is confirmed in the same snapshot.
///
/// Start reading at [SourceIdentityCheck].
@NullMarked
package dev.perigee.replication.drift;

import org.jspecify.annotations.NullMarked;
