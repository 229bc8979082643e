package dev.perigee.source;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Identifies a source and one of its tables. It is stored next to a copy's cursor, because a cursor means something
/// only at the source it comes from. What a source does not tell, or refuses to tell, is empty and is not compared.
///
/// @param system the server's system identifier; a restored copy of its files has the same one
/// @param timeline which of its histories the server follows: a failover or a restore begins another
/// @param isStandby whether the server follows another one, and may lag behind it
/// @param database the database's number (PostgreSQL: OID); a database that was dropped and created again under the
///     same name has another
/// @param table the table's number (PostgreSQL: OID), which changes in the same way
/// @param storage the table's parts by number (itself, its partitions, tables that inherit from it), with the number of
///     the file that holds each; a part that is emptied or rewritten as a whole gets another file
/// @param unlogged those parts that the server empties when it recovers from a crash; they keep their file then
/// @param sequences by a column's identity: the last number that the column's sequence handed out
/// @param counter transactions counted; it never decreases within one history
/// @param mark the mark of the snapshot, as in [Moment#mark]
/// @param position the position of the snapshot, as in [Snapshot#position]
/// @param run changes with each start of the server; a server that was put back to an older state of its files has been
///     started since
/// @param reached what the server had written durably, in its own words; looked for again after a start
/// @param sight for a filtered table: what decides which of its rows our user sees, such as policies and roles; another
///     text means that this was changed
public record Identity(
        Optional<String> system,
        Optional<Long> timeline,
        boolean isStandby,
        long database,
        long table,
        Map<Long, Long> storage,
        Set<Long> unlogged,
        Map<Integer, Long> sequences,
        long counter,
        String mark,
        Optional<String> position,
        Optional<String> run,
        Optional<String> reached,
        Optional<String> sight) {
    @SuppressWarnings("NullAway") // identities stored by earlier builds have no `sight`
    public Identity {
        storage = Map.copyOf(storage);
        unlogged = known(unlogged);
        sequences = Map.copyOf(sequences);
        sight = sight == null ? Optional.empty() : sight;
    }

    /// Identities stored by earlier builds have no `unlogged`.
    private static Set<Long> known(@Nullable Set<Long> parts) {
        return parts == null ? Set.of() : Set.copyOf(parts);
    }

    /// Whether the server was started between `earlier` and this identity; false where one of them does not tell its
    /// run.
    public boolean wasStartedSince(Identity earlier) {
        return run.isPresent() && earlier.run.isPresent() && !run.equals(earlier.run);
    }

    /// The same identity with only those parts that `other` has too, and with the sight of `other`.
    public Identity withPartsOf(Identity other) {
        Map<Long, Long> shared = new HashMap<>(storage);
        shared.keySet().retainAll(other.storage.keySet());
        return new Identity(
                system,
                timeline,
                isStandby,
                database,
                table,
                shared,
                unlogged,
                sequences,
                counter,
                mark,
                position,
                run,
                reached,
                other.sight);
    }

    /// The same identity with its parts in the files where `later` has them. A part that `later` does not have keeps
    /// its file.
    public Identity withFilesOf(Identity later) {
        Map<Long, Long> files = new HashMap<>(storage);
        files.replaceAll((part, file) -> later.storage.getOrDefault(part, file));
        return new Identity(
                system, timeline, isStandby, database, table, files, unlogged, sequences, counter, mark, position, run,
                reached, sight);
    }

    /// Whether both tell what decides which rows our user sees, and the two differ.
    public boolean isSeenOtherwise(Identity earlier) {
        return sight.isPresent() && earlier.sight.isPresent() && !sight.equals(earlier.sight);
    }

    /// Whether both identify the same table, whatever its name is.
    public boolean isSameTable(Identity other) {
        boolean isSameSystem = system.isEmpty() || other.system.isEmpty() || system.equals(other.system);
        return isSameSystem && database == other.database && table == other.table;
    }
}
