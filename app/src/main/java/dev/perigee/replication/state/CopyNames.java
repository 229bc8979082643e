package dev.perigee.replication.state;

import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.Optional;

/// Tells whether a name in the replica is free for a copy, and which replicated table owns it.
public final class CopyNames {
    private CopyNames() {}

    /// Makes sure that a copy can have this name: no other replicated table owns it, and the replica has nothing else
    /// of that name.
    ///
    /// @param table the configured name of the table that wants the copy
    /// @throws dev.perigee.fault.PerigeeException [Fault#CONFLICT] if the name is taken
    public static void refuseTaken(Transaction tx, String name, String table) {
        StateRecords.ownerOf(tx, name).filter(owner -> !owner.equals(table)).ifPresent(owner -> {
            throw Fault.CONFLICT.in(
                    "table " + table,
                    "\"%s\" is the copy of the replicated table %s".formatted(name, owner),
                    "Nothing was changed",
                    "choose another name for the copy with `target` (`--target` on the command line)");
        });
        CopyTable.existing(tx, name).ifPresent(kind -> {
            throw Fault.CONFLICT.in(
                    "table " + table,
                    "the replica has a %s \"%s\" that replication does not own".formatted(kind, name),
                    "Nothing was changed",
                    "choose another name for the copy with `target` (`--target` on the command line), or drop or rename the %1$s%2$s"
                            .formatted(
                                    kind,
                                    kind.equals("table")
                                            ? "; on a server, `perigee tables add --adopt` or POST /replication/tables?adopt=true makes it the copy and replaces its rows with the source's"
                                            : ""));
        });
    }

    /// The spelling of a table of this name that replication does not own; empty where there is none, or where
    /// replication owns it.
    public static Optional<String> unowned(Transaction tx, String name) {
        if (StateRecords.ownerOf(tx, name).isPresent()) return Optional.empty();
        SqliteStatement find =
                tx.statement("SELECT name FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type = 'table'");
        try {
            return find.bindText(1, name).step() ? Optional.ofNullable(find.textAt(0)) : Optional.empty();
        } finally {
            find.reset();
        }
    }
}
