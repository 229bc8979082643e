/// The HTTP server: authentication, StarbaseDB's core routes, the plugins' routes, metrics, the dashboard.
///
/// Guarantee: a request that fails before its answer has begun gets `{"error": …}`. A streamed answer that fails later
/// is cut off, so that the client notices. No answer contains a secret.
///
/// Start reading at [Server].
@NullMarked
package dev.perigee.serve;

import org.jspecify.annotations.NullMarked;
