package dev.perigee.replication.state;

import dev.perigee.fault.Fault;
import dev.perigee.replication.copy.CopyTable;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Transaction;
import java.util.Optional;

/// Whether a name in the replica is free for a copy, or who owns the table that has it.
public final class CopyNames {
    private CopyNames() {}

    /// Refuses a name that something else in the replica has, or that another table's copy will have.
    ///
    /// @param table the name it is configured by
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
                                            ? "; on a server, `perigee tables add --adopt` or POST /replication/tables?adopt=true makes it the copy and replaces its rows by the source's"
                                            : ""));
        });
    }

    /// The name of a table that replication does not own, as it is spelled; empty where there is none of that name.
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
