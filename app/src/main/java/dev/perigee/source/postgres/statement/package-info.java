/// The statements that are sent to PostgreSQL: pulls, key digests, callers' own statements.
///
/// Guarantee: names are looked up in the catalog and quoted. Values are bound, or escaped as literals where COPY takes
/// no parameters.
///
/// Start reading at [PullStatement].
@NullMarked
package dev.perigee.source.postgres.statement;

import org.jspecify.annotations.NullMarked;
