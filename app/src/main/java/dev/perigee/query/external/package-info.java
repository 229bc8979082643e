/// Callers' statements at the external database, and the answers that are cached or collected.
///
/// Guarantee: an answer is kept in memory only within [MemoryBudget].
///
/// Start reading at [ExternalRun].
@NullMarked
package dev.perigee.query.external;

import org.jspecify.annotations.NullMarked;
