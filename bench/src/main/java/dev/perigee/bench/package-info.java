/// Benchmarks: JMH for single rooms, and whole-program comparisons with peers in one run.
package dev.perigee.bench;
