/// Follows the log of a source, for the tables in mode `log`: applies whole transactions to their copies, in the order
/// in which they committed at the source.
///
/// Guarantee: the changes of a transaction and the position behind it are one transaction of the replica. So at any
/// moment, even after a crash, the followed copies are a prefix of the source's commits. Nothing is acknowledged to the
/// source before it is durable here.
///
/// Start reading at [LogFollower].
@NullMarked
package dev.perigee.replication.log;

import org.jspecify.annotations.NullMarked;
