package dev.perigee.query;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/// How many words each column of a query becomes, once all that it is made of stands in its place.
///
/// @param named by its name, whose letters `A` to `Z` are small
/// @param others the largest of those whose name is not known; 0 where there is none
record ResultColumns(Map<String, Long> named, long others) {
    /// Names that are told apart; of more only the largest is known.
    private static final int MAX_NAMES = 2000;

    /// Those of a table.
    static final ResultColumns PLAIN = new ResultColumns(Map.of(), 0);

    /// All are as large as this.
    static ResultColumns of(long words) {
        return words <= 1 ? PLAIN : new ResultColumns(Map.of(), words);
    }

    /// Those of all of them, where one name may mean several.
    static ResultColumns all(Collection<ResultColumns> sources) {
        Map<String, Long> named = new HashMap<>();
        long others = 0;
        for (ResultColumns source : sources) {
            source.named.forEach((name, words) -> named.merge(name, words, Expansion::sum));
            others = Math.max(others, source.others);
        }
        return new ResultColumns(named, others).bounded();
    }

    ResultColumns bounded() {
        return named.size() > MAX_NAMES ? of(largest()) : this;
    }

    boolean isPlain() {
        return named.isEmpty() && others <= 1;
    }

    long largest() {
        long largest = Math.max(1, others);
        for (long words : named.values()) largest = Math.max(largest, words);
        return largest;
    }

    long words(String name) {
        Long known = named.get(name);
        // SQLite calls the second of a name `name:1`.
        int colon = name.lastIndexOf(':');
        if (known == null && colon > 0) known = named.get(name.substring(0, colon));
        return Math.max(1, known == null ? others : known);
    }
}
