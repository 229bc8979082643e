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

/// The precondition of a check: a fully loaded copy, paired with the source table whose columns and key still match it.
///
/// @param table the table as the source describes it now
/// @param definition the definition that the copy was made from
/// @param state the copy's state, read once when the pair was made
/// @param marks recognises rows that the source marks as deleted (`soft`); empty if it does not mark them
record CheckTarget(
        TableConfig config,
        SourceTable table,
        CopyDefinition definition,
        TableState state,
        Optional<SoftDeletes> marks) {
    /// Text types. A stored value of these that begins with `{` is the source's own text, not JSON made by Perigee.
    private static final Set<String> TEXTS = Set.of("text", "character varying", "character", "name", "citext");

    /// Reads the source's definition of the table and the copy's state, and checks that the two match. Changes nothing.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFLICT] if the copy is not fully loaded, waits to be fetched
    ///     again, or was made with other settings. [Fault#SOURCE_SCHEMA_CHANGED] if the two do not match.
    ///     [Fault#INVALID_REQUEST] in mode `full`: each sync replaces the whole copy, so no row can have been lost. Or
    ///     another `SOURCE_*` fault
    static CheckTarget of(Store store, Source source, TableConfig config) {
        String where = "table " + config.name();
        if (config.mode() == Mode.FULL) {
            throw Fault.INVALID_REQUEST.in(
                    where,
                    "its mode is `full`, in which every sync fetches all rows again and replaces the copy, so a check would prove nothing",
                    "Nothing was changed",
                    "sync it instead: `perigee tables sync %s`".formatted(Remedies.word(config.name())));
        }
        SourceTable table = source.describe(config);
        CopyDefinition now = DefinitionCheck.definition(store, config, table);
        TableState state = store.read(ReplicationTables.READ_LIMIT, tx -> StateRecords.find(tx, config.name()))
                .filter(found -> found.copy().isLoaded() && !found.copy().needsResync())
                .filter(found -> found.definition()
                        .filter(made -> !made.isChosenDifferently(now) && !made.isSlicedDifferently(now))
                        .isPresent())
                .orElseThrow(() -> Fault.CONFLICT.in(
                        where,
                        "its copy is not fully loaded yet, or not with its present settings",
                        "Nothing was changed",
                        Remedies.sync(config.name())));
        CopyDefinition made = state.definition().orElseThrow();
        Drift drift = Drift.between(made, now);
        if (!drift.isNone()) throw Fault.SOURCE_SCHEMA_CHANGED.in(where, drift.why(), "The copy stays as it is");
        return new CheckTarget(config, table, made, state, SoftDeletes.of(made, made.target()));
    }

    /// The table, as fault messages name it.
    String where() {
        return "table " + config.name();
    }

    /// The copy's name.
    String target() {
        return definition.target();
    }

    /// A pull of all the copy's columns, for the rows of `scope`.
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

    /// A pull of the key's columns only, for the rows of `scope`.
    Pull pullKeys(Scope scope, int pageRows) {
        return new Pull(
                table, definition.key(), definition.key(), scope, pageRows, config.numeric(), config.timestamps());
    }

    /// Whether the copy should have this row of the source; false if the source marks the row as deleted.
    boolean isWanted(Batch rows, int row) {
        return marks.isEmpty() || !marks.get().isMarked(rows, row);
    }

    /// The indexes of the key's columns among the copy's columns, in key order.
    int[] keyColumns() {
        return definition.key().stream()
                .mapToInt(definition.columnNames()::indexOf)
                .toArray();
    }

    /// Whether the key is one integer column that is the copy's rowid. Then source and copy have the same order of
    /// keys.
    boolean isKeyRowid() {
        return CopyTable.isRowid(definition);
    }

    /// A key of the copy as texts that the source reads as the same values.
    ///
    /// @return empty if the source cannot read what the copy stores, as with arrays and with years beyond 9999
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
