/// Rows between the source and the replica, in compact off-heap batches. In a sync, each batch is one page.
///
/// Guarantee: a batch's memory is bounded, and its owner releases it.
///
/// Start reading at [Batch].
@NullMarked
package dev.perigee.batch;

import org.jspecify.annotations.NullMarked;
