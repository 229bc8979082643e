/// One sync of one table, or of one group: from the source's snapshot to the commit.
///
/// Guarantee: rows, the cursor that covers them and the record of the run are in one SQLite transaction.
///
/// Start reading at [TableSync].
@NullMarked
package dev.perigee.replication.sync;

import org.jspecify.annotations.NullMarked;
