package dev.perigee.source;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Who a source is and what a table is there, to be remembered beside a cursor: a cursor means something only at the
/// source it comes from. What a source does not say, or refuses to, is empty, and then it is not compared.
///
/// @param system the server's own number, which a restored copy of its files has too
/// @param timeline which of its histories the server follows: another one after a failover or a restore
/// @param isStandby whether it follows another server, and may be behind it
/// @param database the database's number, another one where it was made anew under the same name
/// @param table the table's number, likewise
/// @param storage the table's parts (itself, its partitions) by number, with the number of the file each is kept in:
///     one that is emptied or rewritten at once gets another file
/// @param unlogged those parts that the server empties when it recovers from a crash, in the file they have
/// @param sequences by column: the last number its sequence handed out
/// @param counter transactions counted; never less in one history
/// @param mark of the snapshot, as [Moment#mark]
/// @param position as [Snapshot#position]
/// @param run tells the server's runs apart, from each start to the next; one that was put back to an older state of
///     its files was started since
/// @param reached what the server had written durably, in its own words, to be found again after a start
/// @param sight of a table that is filtered: what decides which of its rows our user sees, such as policies and roles;
///     another text where that was changed
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
    @SuppressWarnings("NullAway") // what was remembered by earlier builds is without `sight`
    public Identity {
        storage = Map.copyOf(storage);
        unlogged = known(unlogged);
        sequences = Map.copyOf(sequences);
        sight = sight == null ? Optional.empty() : sight;
    }

    /// What was remembered by earlier builds is without it.
    private static Set<Long> known(@Nullable Set<Long> parts) {
        return parts == null ? Set.of() : Set.copyOf(parts);
    }

    /// Whether the server was started between the two.
    public boolean wasStartedSince(Identity earlier) {
        return run.isPresent() && earlier.run.isPresent() && !run.equals(earlier.run);
    }

    /// The same, as if it had only those parts that `other` has too, and its rows were seen as those of `other`.
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

    /// The same, with its parts in the files they are in later.
    public Identity withFilesOf(Identity later) {
        Map<Long, Long> files = new HashMap<>(storage);
        files.replaceAll((part, file) -> later.storage.getOrDefault(part, file));
        return new Identity(
                system, timeline, isStandby, database, table, files, unlogged, sequences, counter, mark, position, run,
                reached, sight);
    }

    /// Whether both say what decides which rows our user sees, and not the same.
    public boolean isSeenOtherwise(Identity earlier) {
        return sight.isPresent() && earlier.sight.isPresent() && !sight.equals(earlier.sight);
    }

    /// Whether both are of one table, whatever it is called.
    public boolean isSameTable(Identity other) {
        boolean isSameSystem = system.isEmpty() || other.system.isEmpty() || system.equals(other.system);
        return isSameSystem && database == other.database && table == other.table;
    }
}
