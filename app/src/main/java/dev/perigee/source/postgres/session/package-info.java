/// Connections to PostgreSQL: login, TLS, cancelling statements, and what the server and the role can do.
///
/// Guarantee: a session that was lent out comes back in the state it was lent in, or is closed.
///
/// Start reading at [PostgresConnections].
@NullMarked
package dev.perigee.source.postgres.session;

import org.jspecify.annotations.NullMarked;
