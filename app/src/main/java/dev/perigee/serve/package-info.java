/// HTTP: authentication, the StarbaseDB routes, metrics, the dashboard.
///
/// Guarantee: every answer is an envelope or a stream that says when it failed; no secret is in any of them.
///
/// Start reading at [Server].
@NullMarked
package dev.perigee.serve;

import org.jspecify.annotations.NullMarked;
