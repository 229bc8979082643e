/// Compares copies with their source: verifications, sweeps and repairs, with their routes and tables.
///
/// Guarantee: a row counts as different only after it was read a second time while no sync ran. Nothing is deleted in
/// bulk without a confirmation.
///
/// Start reading at [CheckSchedule].
@NullMarked
package dev.perigee.replication.check;

import org.jspecify.annotations.NullMarked;
