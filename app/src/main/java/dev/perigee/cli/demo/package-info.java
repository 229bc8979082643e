/// `perigee demo`: a real PostgreSQL with a small shop that is being written to, and Perigee beside it.
///
/// Guarantee: nothing in it is a stand-in. What runs is the product through its front door, and the summary compares
/// every row of the source with what the server answers.
///
/// Start reading at [DemoCommand].
@NullMarked
package dev.perigee.cli.demo;

import org.jspecify.annotations.NullMarked;
