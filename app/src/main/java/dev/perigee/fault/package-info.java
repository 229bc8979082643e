/// What can go wrong, by name: whether a retry helps, the HTTP status, the remedy. Errors as data.
///
/// [ServingThreads] is beside them, for what goes wrong where no caller is told.
///
/// Guarantee: a fault's name never changes its meaning, and its message never holds a row's value or a secret.
///
/// Start reading at [Fault].
@NullMarked
package dev.perigee.fault;

import org.jspecify.annotations.NullMarked;
