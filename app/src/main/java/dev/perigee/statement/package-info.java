/// A statement and its answer: who asks, which SQL with which values, where it runs, and what receives the rows.
///
/// Guarantee: values are immutable. Plugins, the engine and the sources share these types.
///
/// Start reading at [Query].
@NullMarked
package dev.perigee.statement;

import org.jspecify.annotations.NullMarked;
