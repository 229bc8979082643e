package dev.perigee.plugin.host;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Tables of the replica that callers may not write to, each with who keeps it and why. Safe for many threads.
///
/// Names are compared as SQLite compares them: ASCII letters without regard to case.
public final class ProtectedTables {
    /// @param reason why callers may not write, for the refusal
    /// @param fromAdmins whether admins may not write either
    public record Protection(String plugin, String reason, boolean fromAdmins) {}

    private final Map<String, Protection> byName = new ConcurrentHashMap<>();
    private final AtomicLong version = new AtomicLong();

    /// Why callers may not write to `table`; empty when they may.
    public Optional<Protection> of(String table) {
        return Optional.ofNullable(byName.get(folded(table)));
    }

    /// Grows with every change: what was decided under an older version is to be decided again.
    public long version() {
        return version.get();
    }

    void protect(String plugin, String table, String reason, boolean fromAdmins) {
        byName.put(folded(table), new Protection(plugin, reason, fromAdmins));
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

    /// All of them, by table.
    public Map<String, Protection> all() {
        return new HashMap<>(byName);
    }

    /// Takes over what the server protects, in a worker process.
    ///
    /// @param all the whole of [#all()]
    public void replace(Map<String, Protection> all) {
        byName.clear();
        byName.putAll(all);
        version.incrementAndGet();
    }

    private static String folded(String table) {
        return table.toLowerCase(Locale.ROOT);
    }
}
