package dev.perigee.hazards;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/// The machine's clock, and steps that a script makes it take.
public final class SteppedClock implements InstantSource {
    private volatile Duration offset = Duration.ZERO;

    @Override
    public Instant instant() {
        return Instant.now().plus(offset);
    }

    void step(Duration by) {
        offset = offset.plus(by);
    }
}
