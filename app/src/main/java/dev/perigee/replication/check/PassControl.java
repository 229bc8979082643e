package dev.perigee.replication.check;

import dev.perigee.replication.sync.SyncCancellation;
import java.util.function.LongConsumer;

/// Controls a pass over a table from outside.
///
/// @param rate how many rows it may compare in a second
/// @param progress is told the number of rows compared so far; must not block
/// @param cancellation ends it before its end
record PassControl(RateLimit rate, LongConsumer progress, SyncCancellation cancellation) {}
