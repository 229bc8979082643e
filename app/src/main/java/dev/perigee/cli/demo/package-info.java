/// `perigee demo`: a real PostgreSQL with a small shop that is being written to, and a Perigee that replicates it.
///
/// Guarantee: nothing in it is a stand-in. What runs is the product through its front door, and the summary compares
/// every value of every row at the source with the copy.
///
/// Start reading at [DemoCommand].
@NullMarked
package dev.perigee.cli.demo;

import org.jspecify.annotations.NullMarked;
