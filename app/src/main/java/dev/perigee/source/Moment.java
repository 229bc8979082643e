package dev.perigee.source;

import java.time.Instant;

/// One snapshot in a source's past: its time by the source's clock, and its mark.
///
/// @param at by the source's clock, in microseconds; not before the snapshot was taken
/// @param mark the source's own notation for the snapshot (PostgreSQL: its `xmin:xmax`); only the source reads it
public record Moment(Instant at, String mark) {}
