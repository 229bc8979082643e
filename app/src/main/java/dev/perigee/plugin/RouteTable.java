package dev.perigee.plugin;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// What answers a method and a path. Literal paths win over those with `:name` segments, which win in the order they
/// were added. Filled by one thread, then read by many.
///
/// @param <T> what a route leads to
public final class RouteTable<T> {
    /// What a request's method and path lead to.
    public sealed interface Match<T> {
        /// @param pattern the route's path as it was added, for metrics
        /// @param parameters values of its `:name` segments, decoded
        record Found<T>(T target, String pattern, Map<String, String> parameters) implements Match<T> {}

        /// The path exists, with other methods.
        record OtherMethods<T>(SortedSet<String> allowed) implements Match<T> {}

        record Unknown<T>() implements Match<T> {}
    }

    private record Entry<T>(PathPattern pattern, Map<String, T> targets) {}

    private final Map<String, Entry<T>> literal = new HashMap<>();
    private final List<Entry<T>> withParameters = new ArrayList<>();

    /// @throws IllegalArgumentException if the method and path lead somewhere already
    public void add(String method, String path, T target) {
        PathPattern pattern = PathPattern.of(path);
        Entry<T> entry = pattern.isLiteral()
                ? literal.computeIfAbsent(path, _ -> new Entry<>(pattern, new TreeMap<>()))
                : entryOf(pattern);
        if (entry.targets().putIfAbsent(method, target) != null) {
            throw new IllegalArgumentException("two routes for %s %s".formatted(method, path));
        }
    }

    /// Finds what answers. `HEAD` is answered by what answers `GET`.
    ///
    /// @param path as it was sent, percent-encoded
    public Match<T> match(String method, String path) {
        Entry<T> same = literal.get(path);
        if (same != null) return in(same, method, Map.of());
        List<String> segments = PathPattern.split(path);
        Match<T> best = new Match.Unknown<>();
        for (Entry<T> entry : withParameters) {
            Optional<Map<String, String>> parameters = entry.pattern().match(segments);
            if (parameters.isEmpty()) continue;
            Match<T> match = in(entry, method, parameters.get());
            if (match instanceof Match.Found<T>) return match;
            if (best instanceof Match.Unknown<T>) best = match;
        }
        return best;
    }

    /// A path, or a part of one, as people read it.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] if it is no UTF-8
    public static String decoded(String path) {
        return PathPattern.decode(path);
    }

    private Entry<T> entryOf(PathPattern pattern) {
        for (Entry<T> entry : withParameters) {
            if (entry.pattern().equals(pattern)) return entry;
        }
        Entry<T> entry = new Entry<>(pattern, new TreeMap<>());
        withParameters.add(entry);
        return entry;
    }

    private Match<T> in(Entry<T> entry, String method, Map<String, String> parameters) {
        T target = entry.targets().get(method);
        if (target == null && method.equals("HEAD")) target = entry.targets().get("GET");
        if (target != null) return new Match.Found<>(target, entry.pattern().text(), parameters);
        SortedSet<String> allowed = new TreeSet<>(entry.targets().keySet());
        if (allowed.contains("GET")) allowed.add("HEAD");
        allowed.add("OPTIONS");
        return new Match.OtherMethods<>(allowed);
    }
}
