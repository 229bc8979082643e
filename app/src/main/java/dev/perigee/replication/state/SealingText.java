package dev.perigee.replication.state;

import dev.perigee.plugin.Json;
import dev.perigee.replication.state.Sealing.Open;
import dev.perigee.source.HighWaterMark;
import java.util.List;
import java.util.Optional;

/// Converts a [Sealing] to and from its form in `tmp_replication_state`.
final class SealingText {
    private record Marks(Optional<HighWaterMark> sealed, List<Open> open) {}

    private SealingText() {}

    /// The marks as JSON. [Sealing#lookedSince()] is not part of it, because it has a column of its own.
    static String of(Sealing sealing) {
        return Json.MAPPER.writeValueAsString(new Marks(sealing.sealed(), sealing.open()));
    }

    static Sealing read(Optional<String> json, Optional<String> lookedSince) {
        Marks marks = json.map(text -> Json.MAPPER.readValue(text, Marks.class))
                .orElse(new Marks(Optional.empty(), List.of()));
        return new Sealing(marks.sealed(), lookedSince, marks.open());
    }
}
