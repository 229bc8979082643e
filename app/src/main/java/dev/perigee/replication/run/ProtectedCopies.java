package dev.perigee.replication.run;

import dev.perigee.fault.Remedies;
import dev.perigee.plugin.PluginHost;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// Refuses callers' writes to copies, and admins' too unless a setting allows them: what an admin wrote would be served
/// under the same guarantee as the source's rows. Remembers the name that each table's copy has. Safe for many threads.
final class ProtectedCopies {
    private final PluginHost host;
    private final boolean fromAdmins;
    private final Map<String, String> copies = new ConcurrentHashMap<>();

    ProtectedCopies(PluginHost host, boolean fromAdmins) {
        this.host = host;
        this.fromAdmins = fromAdmins;
    }

    /// Protects a table's copy; one that it had under another name is an ordinary table now.
    ///
    /// @param table the name it is configured by
    /// @param copy its copy's name in the replica
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
        String old = copies.put(table, copy);
        if (old != null && !old.equals(copy)) unprotect(old);
    }

    /// The table is no longer replicated, so its copy is an ordinary table.
    void release(String table) {
        String copy = copies.remove(table);
        if (copy != null) unprotect(copy);
    }

    /// Unless it is still a copy, as after its table was renamed.
    private void unprotect(String copy) {
        if (!copies.containsValue(copy)) host.unprotectTable(copy);
    }
}
