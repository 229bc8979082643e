package dev.perigee.replication.check;

import dev.perigee.batch.Batch;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.Remedies;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.replication.copy.KeyText;
import dev.perigee.replication.copy.SoftDeletes;
import dev.perigee.replication.copy.StoredKey;
import dev.perigee.replication.drift.DefinitionCheck;
import dev.perigee.replication.drift.Drift;
import dev.perigee.replication.state.ReplicationTables;
import dev.perigee.replication.state.StateRecords;
import dev.perigee.replication.state.TableState;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Source;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A copy beside its table at the source, as a check compares them: everything was fetched once, and the two still fit.
///
/// @param table as the source describes it now
/// @param definition how the copy was made
/// @param state where the copy stands
/// @param marks of rows that the source has deleted and keeps; empty where it does not mark them
record CheckTarget(
        TableConfig config,
        SourceTable table,
        CopyDefinition definition,
        TableState state,
        Optional<SoftDeletes> marks) {
    /// Types whose stored text may begin like JSON and is the source's own all the same.
    private static final Set<String> TEXTS = Set.of("text", "character varying", "character", "name", "citext");

    /// Looks at both. Nothing is changed.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFLICT] where the copy is not whole yet,
    ///     [Fault#SOURCE_SCHEMA_CHANGED] where the two do not fit, [Fault#INVALID_REQUEST] in mode `full`, whose copy
    ///     every sync replaces, so that there is nothing that could have been lost; or a `SOURCE_*` fault
    static CheckTarget of(Store store, Source source, TableConfig config) {
        String where = "table " + config.name();
        if (config.mode() == Mode.FULL) {
            throw Fault.INVALID_REQUEST.in(
                    where,
                    "its mode is `full`, in which every sync fetches all rows anew, so nothing can be checked that the next sync does not replace",
                    "Nothing was changed",
                    "sync it instead: `perigee tables sync %s`".formatted(Remedies.word(config.name())));
        }
        SourceTable table = source.describe(config);
        CopyDefinition now = DefinitionCheck.definition(store, config, table);
        TableState state = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, config.name()))
                .filter(found -> found.isLoaded() && !found.needsResync())
                .filter(found -> found.definition()
                        .filter(made -> !made.isChosenDifferently(now))
                        .isPresent())
                .orElseThrow(() -> Fault.CONFLICT.in(
                        where, "its copy is not whole yet", "Nothing was changed", Remedies.sync(config.name())));
        CopyDefinition made = state.definition().orElseThrow();
        Drift drift = Drift.between(made, now);
        if (!drift.isNone()) throw Fault.SOURCE_SCHEMA_CHANGED.in(where, drift.why(), "The copy stays as it is");
        return new CheckTarget(config, table, made, state, SoftDeletes.of(made, made.target()));
    }

    /// To begin a fault's message with.
    String where() {
        return "table " + config.name();
    }

    /// The copy's name.
    String target() {
        return definition.target();
    }

    /// All columns of the copy, of other rows.
    Pull pull(Scope scope, int pageRows) {
        return new Pull(
                table,
                definition.columnNames(),
                definition.key(),
                scope,
                pageRows,
                config.numeric(),
                config.timestamps());
    }

    /// The key's columns of the copy, of other rows.
    Pull pullKeys(Scope scope, int pageRows) {
        return new Pull(
                table, definition.key(), definition.key(), scope, pageRows, config.numeric(), config.timestamps());
    }

    /// Whether the copy should have this row of the source: not where the source marks it as deleted.
    boolean isWanted(Batch rows, int row) {
        return marks.isEmpty() || !marks.get().isMarked(rows, row);
    }

    /// Where the key's columns are among the copy's, in key order.
    int[] keyColumns() {
        return definition.key().stream()
                .mapToInt(definition.columnNames()::indexOf)
                .toArray();
    }

    /// Whether the key is one integer, which the copy has as its rowid: then both sides have one order.
    boolean isKeyRowid() {
        return CopyTable.isRowid(definition);
    }

    /// The key in the text that the source reads as the same value.
    ///
    /// @return empty where the source cannot read what the copy stores, as arrays and years beyond 9999
    Optional<List<String>> keyText(StoredKey key) {
        List<String> texts = new ArrayList<>();
        boolean isEpoch = config.timestamps() == TimestampStorage.EPOCH_MICROS;
        for (int i = 0; i < key.values().size(); i++) {
            SourceColumn column = table.column(definition.key().get(i)).orElseThrow();
            Value value = key.values().get(i);
            Optional<String> text =
                    KeyText.of(value, column, isEpoch).filter(readable -> isReadable(readable, column.sourceType()));
            if (text.isEmpty()) return Optional.empty();
            texts.add(text.get());
        }
        return Optional.of(texts);
    }

    private static boolean isReadable(String text, String sourceType) {
        if (sourceType.startsWith("timestamp") || sourceType.startsWith("date")) {
            return text.equals("-infinity") || !(text.startsWith("-") || text.startsWith("+"));
        }
        int modifier = sourceType.indexOf('(');
        boolean isText = TEXTS.contains(modifier < 0 ? sourceType : sourceType.substring(0, modifier));
        return isText || !(text.startsWith("{") || sourceType.endsWith("multirange"));
    }
}
