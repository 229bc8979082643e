package dev.perigee.replication.drift;

import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.replication.state.ColumnBackfill;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// Notes of the status about a copy whose table was changed at the source.
public final class DriftNotes {
    private DriftNotes() {}

    /// The note about columns that are being filled.
    public static String of(ColumnBackfill backfill) {
        return "columns %s were added at the source and are being filled for existing rows: %,d so far"
                .formatted(backfill.columns(), backfill.rows());
    }

    /// The notes about columns of the settings that were renamed, and about columns that were dropped and are kept.
    public static List<String> of(CopyDefinition definition) {
        List<String> notes = new ArrayList<>();
        new TreeMap<>(definition.known().renamed())
                .forEach((setting, name) -> notes.add(
                        "the settings name the column \"%s\", which the source calls \"%s\" now; the copy uses the new name, and the settings should too"
                                .formatted(setting, name)));
        for (CopyColumn kept : definition.known().kept()) {
            // Without a key, no row of the old copy can be matched with a row of the new one.
            notes.add((definition.key().isEmpty()
                            ? "column \"%s\" was dropped at the source and is kept, without its values: each sync fetches all rows, and without a key their old values cannot be found"
                            : "column \"%s\" was dropped at the source and is kept: existing rows keep their last value, new rows have NULL")
                    .formatted(kept.name()));
        }
        return notes;
    }
}
