/// Errors as data: each fault has a name, an HTTP status, a remedy, and says whether a retry helps.
///
/// [ServingThreads] is here too: it reports failures on threads where no caller would learn of them.
///
/// Guarantee: a fault's name never changes its meaning, and its message never holds a row's value or a secret.
///
/// Start reading at [Fault].
@NullMarked
package dev.perigee.fault;

import org.jspecify.annotations.NullMarked;
