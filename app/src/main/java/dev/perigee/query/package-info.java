/// The one path every statement takes: role, hooks, limits, run.
///
/// Guarantee: no statement reaches the replica or the source except through here or through a plugin's own transaction.
///
/// Start reading at [QueryEngine].
@NullMarked
package dev.perigee.query;

import org.jspecify.annotations.NullMarked;
