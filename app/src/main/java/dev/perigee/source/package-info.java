/// The contract of an external database (discover, pages after a cursor, snapshot, query) and one package per kind.
///
/// Guarantee: an empty answer and a failed answer are different things; a failure is always a fault.
///
/// Start reading at [Source].
@NullMarked
package dev.perigee.source;

import org.jspecify.annotations.NullMarked;
