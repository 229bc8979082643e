package dev.perigee.source;

import java.time.Instant;

/// A moment in a source's past, by its own clock and in its own words.
///
/// @param at not before the snapshot it belongs to was taken, by the source's clock, in microseconds
/// @param mark the source's word for it (PostgreSQL: `xmin:xmax` of the snapshot); only the source reads it
public record Moment(Instant at, String mark) {}
