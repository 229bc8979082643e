package dev.perigee.plugin;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Tables of the replica that callers may not write to, each with who keeps it and why. Safe for many
/// threads.
///
/// Names are compared as SQLite compares them: ASCII letters without regard to case.
public final class ProtectedTables {
    private record Protection(String plugin, String reason) {}

    private final Map<String, Protection> byName = new ConcurrentHashMap<>();
    private final AtomicLong version = new AtomicLong();

    /// Why callers may not write to `table`; empty when they may.
    public Optional<String> reason(String table) {
        return Optional.ofNullable(byName.get(folded(table))).map(Protection::reason);
    }

    /// Grows with every change: what was decided under an older version is to be decided again.
    public long version() {
        return version.get();
    }

    void protect(String plugin, String table, String reason) {
        byName.put(folded(table), new Protection(plugin, reason));
        version.incrementAndGet();
    }

    /// Lets go of a table that `plugin` protects; another plugin's protection stays.
    void unprotect(String plugin, String table) {
        byName.computeIfPresent(folded(table), (_, held) -> held.plugin().equals(plugin) ? null : held);
        version.incrementAndGet();
    }

    /// Lets go of all that `plugin` protects.
    void unprotectAll(String plugin) {
        byName.values().removeIf(held -> held.plugin().equals(plugin));
        version.incrementAndGet();
    }

    /// All of them, with their reasons.
    public Map<String, String> reasons() {
        Map<String, String> reasons = new HashMap<>();
        byName.forEach((table, protection) -> reasons.put(table, protection.reason()));
        return reasons;
    }

    /// Takes over what the server protects, in a worker process.
    ///
    /// @param reasons the whole of [#reasons()]
    public void replace(Map<String, String> reasons) {
        byName.clear();
        reasons.forEach((table, reason) -> byName.put(folded(table), new Protection("", reason)));
        version.incrementAndGet();
    }

    private static String folded(String table) {
        return table.toLowerCase(Locale.ROOT);
    }
}
