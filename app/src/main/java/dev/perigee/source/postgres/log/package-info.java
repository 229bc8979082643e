/// Reads changes from PostgreSQL's logical replication stream, in the server's own `pgoutput` format.
///
/// Guarantee: a value that comes through the stream is put into a batch exactly as a pull would put it. Nothing is
/// acknowledged to the server unless the caller says so. A table is not published if its application's statements would
/// fail then.
///
/// Values are read in the server's text form (ADR 28). Start reading at [PostgresLog].
@NullMarked
package dev.perigee.source.postgres.log;

import org.jspecify.annotations.NullMarked;
