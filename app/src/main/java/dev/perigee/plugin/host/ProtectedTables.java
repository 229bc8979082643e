package dev.perigee.plugin.host;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Tables of the replica to which callers may not write, each with the plugin that protects it and the reason. Safe for
/// many threads.
///
/// Names are compared without regard to case, also that of non-ASCII letters, which SQLite tells apart.
public final class ProtectedTables {
    /// @param plugin the name of the plugin that protects the table
    /// @param reason why callers may not write, for the error message
    /// @param fromAdmins whether admins may not change its rows either
    public record Protection(String plugin, String reason, boolean fromAdmins) {}

    private final Map<String, Protection> byName = new ConcurrentHashMap<>();
    private final AtomicLong version = new AtomicLong();

    /// The protection of `table`; empty if there is none.
    public Optional<Protection> of(String table) {
        return Optional.ofNullable(byName.get(folded(table)));
    }

    /// A number that grows with every change. A decision made under an earlier number must be made again.
    public long version() {
        return version.get();
    }

    void protect(String plugin, String table, String reason, boolean fromAdmins) {
        byName.put(folded(table), new Protection(plugin, reason, fromAdmins));
        version.incrementAndGet();
    }

    /// Removes the protection of a table if `plugin` set it; another plugin's protection stays.
    void unprotect(String plugin, String table) {
        byName.computeIfPresent(folded(table), (_, held) -> held.plugin().equals(plugin) ? null : held);
        version.incrementAndGet();
    }

    /// Removes all protections that `plugin` set.
    void unprotectAll(String plugin) {
        byName.values().removeIf(held -> held.plugin().equals(plugin));
        version.incrementAndGet();
    }

    /// All protections, by table name in lower case.
    public Map<String, Protection> all() {
        return new HashMap<>(byName);
    }

    /// Replaces all protections by those of the server. Used in worker processes.
    ///
    /// @param all the server's [#all()]
    public void replace(Map<String, Protection> all) {
        byName.clear();
        byName.putAll(all);
        version.incrementAndGet();
    }

    private static String folded(String table) {
        return table.toLowerCase(Locale.ROOT);
    }
}
