package dev.perigee.replication.run;

import dev.perigee.fault.Remedies;
import dev.perigee.plugin.PluginHost;
import dev.perigee.sqlite.SqlNames;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Has the host refuse clients' writes to copies, and admins' writes too unless `replication.adminsWriteCopies` allows
/// them. Otherwise rows that an admin wrote would be served under the same guarantee as the source's rows. Remembers
/// the name of each table's copy. Safe for many threads.
final class ProtectedCopies {
    private final PluginHost host;
    private final boolean fromAdmins;
    private final Map<String, String> copies = new ConcurrentHashMap<>();

    /// The table of each copy, by the copy's name in lower case.
    private final Map<String, String> tables = new ConcurrentHashMap<>();

    ProtectedCopies(PluginHost host, boolean fromAdmins) {
        this.host = host;
        this.fromAdmins = fromAdmins;
    }

    /// Protects a table's copy. If the table had a copy under another name before, that one becomes an ordinary table.
    ///
    /// @param table the name the table is configured by
    /// @param copy the name of its copy in the replica
    void protect(String table, String copy) {
        host.protectTable(
                copy,
                "it is the copy of the replicated table %s; write to the source instead, as with `X-Starbase-Source: external`%s; to drop the copy: `perigee tables remove --drop %s`"
                        .formatted(
                                table,
                                fromAdmins
                                        ? ", or let admins write to copies with `replication.adminsWriteCopies`"
                                        : "",
                                Remedies.word(table)),
                fromAdmins);
        tables.put(SqlNames.folded(copy), table);
        String old = copies.put(table, copy);
        if (old != null && !old.equals(copy)) unprotect(old);
    }

    /// The table that has this copy; empty if it is not a copy.
    ///
    /// @param copy in lower case
    Optional<String> tableOf(String copy) {
        return Optional.ofNullable(tables.get(copy));
    }

    /// Ends the protection of the copy of a table that is no longer replicated: the copy is an ordinary table now.
    void release(String table) {
        String copy = copies.remove(table);
        if (copy != null) unprotect(copy);
    }

    /// Does nothing if another configured table still has this copy, as after a rename at the source.
    private void unprotect(String copy) {
        if (copies.containsValue(copy)) return;
        tables.remove(SqlNames.folded(copy));
        host.unprotectTable(copy);
    }
}
