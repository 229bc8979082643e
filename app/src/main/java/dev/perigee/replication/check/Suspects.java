package dev.perigee.replication.check;

import dev.perigee.replication.copy.StoredKey;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The keys of rows that seem to differ. Beyond [#MAX_KEYS] they are only counted. Not thread-safe.
final class Suspects {
    /// Keys remembered at most.
    static final int MAX_KEYS = 100_000;

    private final Set<StoredKey> keys = new LinkedHashSet<>();
    private long leftOut;

    void add(StoredKey key) {
        if (keys.size() < MAX_KEYS) keys.add(key);
        else if (!keys.contains(key)) leftOut++;
    }

    /// How many suspects were added and not remembered.
    long leftOut() {
        return leftOut;
    }

    int size() {
        return keys.size();
    }

    /// The remembered keys, in portions of at most [Recheck#MAX_KEYS].
    List<List<StoredKey>> portions() {
        List<StoredKey> all = new ArrayList<>(keys);
        List<List<StoredKey>> portions = new ArrayList<>();
        for (int from = 0; from < all.size(); from += Recheck.MAX_KEYS) {
            portions.add(all.subList(from, Math.min(from + Recheck.MAX_KEYS, all.size())));
        }
        return portions;
    }
}
