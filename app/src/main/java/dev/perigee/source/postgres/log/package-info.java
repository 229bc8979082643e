/// Reads changes from PostgreSQL's logical replication stream, in the server's own `pgoutput` format.
///
/// Guarantee: a value that comes through the stream is put into a batch exactly as a pull would put it, or its type is
/// refused with the column's name. Nothing is acknowledged to the server unless the caller says so.
///
/// No setting uses this room yet: there is no `mode: log`. Start reading at [LogStream].
@NullMarked
package dev.perigee.source.postgres.log;

import org.jspecify.annotations.NullMarked;
