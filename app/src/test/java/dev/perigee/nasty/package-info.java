/// Statements that are legal and made to exhaust whoever compiles or runs them, for tests and for `bench/run nasty`.
@NullMarked
package dev.perigee.nasty;

import org.jspecify.annotations.NullMarked;
