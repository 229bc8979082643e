package dev.perigee.replication.drift;

import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.state.ColumnBackfill;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// What the status says of a copy whose table was changed at the source.
public final class DriftNotes {
    private DriftNotes() {}

    public static String of(ColumnBackfill backfill) {
        return "columns %s were added at the source and are being filled for the rows that were there: %,d so far"
                .formatted(backfill.columns(), backfill.rows());
    }

    public static List<String> of(CopyDefinition definition) {
        List<String> notes = new ArrayList<>();
        new TreeMap<>(definition.known().renamed())
                .forEach((setting, name) -> notes.add(
                        "the settings name the column \"%s\", which the source calls \"%s\" now; it is followed, and should be named so"
                                .formatted(setting, name)));
        for (CopyColumn kept : definition.known().kept()) {
            // Without a key no row of the old copy can be found in the new one.
            notes.add((definition.key().isEmpty()
                            ? "column \"%s\" was dropped at the source and is kept, without its values: each sync fetches all rows, which have no key to find their old values by"
                            : "column \"%s\" was dropped at the source and is kept: rows have the value they had then, new ones NULL")
                    .formatted(kept.name()));
        }
        return notes;
    }
}
