/// The statements that are sent to PostgreSQL: pulls, key digests, external statements of callers.
///
/// Guarantee: names are looked up in the catalog and quoted, values are bound.
///
/// Start reading at [PullStatement].
@NullMarked
package dev.perigee.source.postgres.statement;

import org.jspecify.annotations.NullMarked;
