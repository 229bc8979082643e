/// Ways in which a copy that is pulled from a database loses rows, each played on a real PostgreSQL with writers whose
/// interleaving the script decides, against whoever follows: Perigee in the tests, Perigee and pollers in
/// `bench/run hazards`. Nothing here needs a test framework but the classes named `…Test`. Start at [Hazard] and
/// [Stage].
package dev.perigee.hazards;
