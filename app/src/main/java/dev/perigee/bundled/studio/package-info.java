/// `/studio`: a page to look at the databases, change rows and run SQL, for anybody with the studio's user and
/// password.
///
/// Guarantee: without credentials there is no studio; with them, no token is in the page, and no other site can use the
/// session.
///
/// Start reading at [StudioPlugin].
@NullMarked
package dev.perigee.bundled.studio;

import org.jspecify.annotations.NullMarked;
