package dev.perigee.hazards;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// How a copy compares with its source.
///
/// @param expected rows the source has
/// @param lost keys of rows that the copy lacks or has in an older version
/// @param extra keys of rows that the source does not have
public record Outcome(int expected, Set<String> lost, Set<String> extra) {
    static Outcome of(Map<String, String> source, Map<String, String> copy) {
        Set<String> lost = new TreeSet<>();
        source.forEach((key, v) -> {
            if (!v.equals(copy.get(key))) lost.add(key);
        });
        Set<String> extra = new TreeSet<>(copy.keySet());
        extra.removeAll(source.keySet());
        return new Outcome(source.size(), lost, extra);
    }

    Outcome plus(Outcome other) {
        Set<String> allLost = new TreeSet<>(lost);
        allLost.addAll(other.lost());
        Set<String> allExtra = new TreeSet<>(extra);
        allExtra.addAll(other.extra());
        return new Outcome(expected + other.expected(), allLost, allExtra);
    }

    public boolean isEqual() {
        return lost.isEmpty() && extra.isEmpty();
    }

    @Override
    public String toString() {
        return "%d rows at the source, %d lost %s, %d extra %s"
                .formatted(expected, lost.size(), first(lost), extra.size(), first(extra));
    }

    private static List<String> first(Set<String> keys) {
        return new ArrayList<>(keys).subList(0, Math.min(5, keys.size()));
    }
}
