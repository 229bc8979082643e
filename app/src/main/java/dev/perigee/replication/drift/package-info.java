/// Checks that the source is still the one a copy comes from, and finds changes of its table's definition.
///
/// Guarantee: nothing is applied to a copy before its source was confirmed in the same snapshot.
///
/// Start reading at [SourceIdentityCheck].
@NullMarked
package dev.perigee.replication.drift;

import org.jspecify.annotations.NullMarked;
