/// One sync of one table, or of one group: from the source's snapshot to the commit.
///
/// Guarantee: a page's rows, the cursor that covers them and the record of the run are committed in one SQLite
/// transaction.
///
/// Start reading at [TableSync].
@NullMarked
package dev.perigee.replication.sync;

import org.jspecify.annotations.NullMarked;
