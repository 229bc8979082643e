package dev.perigee.hazards;

import java.util.List;
import java.util.stream.Stream;

/// All hazards.
public final class Hazards {
    private Hazards() {}

    public static List<Hazard> all() {
        return Stream.of(LateHazards.all(), ValueHazards.all(), RowHazards.all(), FaultHazards.all())
                .flatMap(List::stream)
                .toList();
    }
}
