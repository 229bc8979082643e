package dev.perigee.source;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Identifies a source and one of its tables. It is stored next to a copy's cursor, because a cursor means something
/// only at the source it comes from. What a source does not tell, or refuses to tell, is empty and is not compared.
///
/// It is stored as one JSON object, in which the fields of the parts stand side by side.
///
/// @param sight for a filtered table: what decides which of its rows our user sees, such as policies and roles; another
///     text means that this was changed
public record Identity(
        @JsonUnwrapped Server server,
        @JsonUnwrapped Table table,
        @JsonUnwrapped Progress progress,
        Optional<String> sight) {

    /// The server and its database.
    ///
    /// @param system the server's system identifier; a restored copy of its files has the same one
    /// @param timeline which of its histories the server follows: a failover or a restore begins another
    /// @param isStandby whether the server follows another one, and may lag behind it
    /// @param database the database's number (PostgreSQL: OID); a database that was dropped and created again under the
    ///     same name has another
    public record Server(Optional<String> system, Optional<Long> timeline, boolean isStandby, long database) {
        private boolean isSame(Server other) {
            boolean isSameSystem = system.isEmpty() || other.system.isEmpty() || system.equals(other.system);
            return isSameSystem && database == other.database;
        }
    }

    /// The table and its parts.
    ///
    /// @param number the table's number (PostgreSQL: OID); a table that was dropped and created again under the same
    ///     name has another
    /// @param storage the table's parts by number (itself, its partitions, tables that inherit from it), with the
    ///     number of the file that holds each; a part that is emptied or rewritten as a whole gets another file
    /// @param unlogged those parts that the server empties when it recovers from a crash; they keep their file then
    /// @param sequences by a column's identity: the last number that the column's sequence handed out
    public record Table(
            @JsonProperty("table") long number,
            Map<Long, Long> storage,
            Set<Long> unlogged,
            Map<Integer, Long> sequences) {
        public Table {
            storage = Map.copyOf(storage);
            unlogged = known(unlogged);
            sequences = Map.copyOf(sequences);
        }

        /// Identities stored by earlier builds have no `unlogged`.
        private static Set<Long> known(@Nullable Set<Long> parts) {
            return parts == null ? Set.of() : Set.copyOf(parts);
        }

        private Table withPartsOf(Table other) {
            Map<Long, Long> shared = new HashMap<>(storage);
            shared.keySet().retainAll(other.storage.keySet());
            return new Table(number, shared, unlogged, sequences);
        }

        private Table withFilesOf(Table later) {
            Map<Long, Long> files = new HashMap<>(storage);
            files.replaceAll((part, file) -> later.storage.getOrDefault(part, file));
            return new Table(number, files, unlogged, sequences);
        }
    }

    /// How far the server had come when the snapshot was taken.
    ///
    /// @param counter transactions counted; it never decreases within one history
    /// @param mark the mark of the snapshot, as in [Moment#mark]
    /// @param position the position of the snapshot, as in [Snapshot#position]
    /// @param run changes with each start of the server; a server that was put back to an older state of its files has
    ///     been started since
    /// @param reached what the server had written durably, in its own words; looked for again after a start
    public record Progress(
            long counter, String mark, Optional<String> position, Optional<String> run, Optional<String> reached) {}

    @SuppressWarnings("NullAway") // identities stored by earlier builds have no `sight`
    public Identity {
        sight = sight == null ? Optional.empty() : sight;
    }

    /// Whether the server was started between `earlier` and this identity; false where one of them does not tell its
    /// run.
    public boolean wasStartedSince(Identity earlier) {
        Optional<String> before = earlier.progress.run();
        return progress.run().isPresent()
                && before.isPresent()
                && !progress.run().equals(before);
    }

    /// The same identity with only those parts that `other` has too, and with the sight of `other`.
    public Identity withPartsOf(Identity other) {
        return new Identity(server, table.withPartsOf(other.table), progress, other.sight);
    }

    /// The same identity with its parts in the files where `later` has them. A part that `later` does not have keeps
    /// its file.
    public Identity withFilesOf(Identity later) {
        return new Identity(server, table.withFilesOf(later.table), progress, sight);
    }

    /// Whether both tell what decides which rows our user sees, and the two differ.
    public boolean isSeenOtherwise(Identity earlier) {
        return sight.isPresent() && earlier.sight.isPresent() && !sight.equals(earlier.sight);
    }

    /// Whether both identify the same table, whatever its name is.
    public boolean isSameTable(Identity other) {
        return server.isSame(other.server) && table.number == other.table.number;
    }
}
