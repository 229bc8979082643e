package dev.perigee.replication.backfill;

import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.drift.Drift;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.store.Store;

/// The precondition of a backfill: a copy, paired with the source table whose definition still fits it.
///
/// @param table the table as the source describes it now
/// @param state the copy's state, read once when the pair was made
/// @param definition the definition that the copy was made from
record BackfillTarget(TableConfig config, SourceTable table, TableState state, CopyDefinition definition) {
    /// Reads the source's definition of the table and the copy's state, and checks that the two fit. Changes nothing.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#SOURCE_SCHEMA_CHANGED] if they no longer fit, or the settings
    ///     were changed; [Fault#CONFLICT] if all rows are about to be fetched again; another `SOURCE_*` fault
    static BackfillTarget of(Store store, Source source, TableConfig config) {
        SourceTable table = source.describe(config);
        TableState state = state(store, config);
        CopyDefinition now = DefinitionCheck.definition(store, config, table);
        CopyDefinition made = state.definition().orElse(now);
        if (state.copy().needsResync()) {
            throw Fault.CONFLICT.in(
                    "table " + config.name(),
                    "all of its rows are about to be fetched again",
                    "Nothing was changed",
                    "sync it instead, which fetches all rows: `perigee tables sync %s`"
                            .formatted(Remedies.word(config.name())));
        }
        boolean isChosenAnew = made.isChosenDifferently(now) || made.isSlicedDifferently(now);
        Drift drift = Drift.between(made, now);
        if (!isChosenAnew && drift.isNone()) return new BackfillTarget(config, table, state, made);
        throw Fault.SOURCE_SCHEMA_CHANGED.in(
                "table " + config.name(),
                isChosenAnew ? "since the copy was made, its settings were changed" : drift.why(),
                "The copy stays as it is");
    }

    /// The present state of a table's copy.
    static TableState state(Store store, TableConfig config) {
        return store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, config.name()))
                .orElseThrow();
    }
}
