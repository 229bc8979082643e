/// A copy compared with its source: verifications, sweeps and repairs, with their routes and tables.
///
/// Guarantee: a row counts as different only after it was read again, and nothing is deleted in bulk without a
/// confirmation.
///
/// Start reading at [CheckSchedule].
@NullMarked
package dev.perigee.replication.check;

import org.jspecify.annotations.NullMarked;
