/// `/rest`: a table's rows as resources, on the replica and on the external database.
///
/// Guarantee: names are looked up in the catalog and quoted, values are bound, and every statement runs with the
/// caller's rights.
///
/// Start reading at [RestPlugin].
@NullMarked
package dev.perigee.bundled.rest;

import org.jspecify.annotations.NullMarked;
