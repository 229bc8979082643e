/// Runs callers' statements at the external database, and caches or collects answers.
///
/// Guarantee: an answer is held in memory only as far as [MemoryBudget] allows.
///
/// Start reading at [ExternalRun].
@NullMarked
package dev.perigee.query.external;

import org.jspecify.annotations.NullMarked;
