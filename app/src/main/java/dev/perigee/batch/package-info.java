/// Rows on their way: compact off-heap batches, typed by column, ending where a page of the source ends.
///
/// Guarantee: a batch's memory is bounded and is released by its owner.
///
/// Start reading at [Batch].
@NullMarked
package dev.perigee.batch;

import org.jspecify.annotations.NullMarked;
