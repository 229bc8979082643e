package dev.perigee.replication.run;

import dev.perigee.source.SourceTable;
import dev.perigee.source.TableDefinition;
import java.util.Optional;

/// What a look tells the sync that follows it.
///
/// @param definition the table's definition, read before the sync
/// @param described the table as the source describes it, where the definition has stayed the same since
record LookedTable(TableDefinition definition, Optional<SourceTable> described) {
    static final LookedTable NOTHING = new LookedTable(TableDefinition.UNKNOWN, Optional.empty());
}
