package dev.perigee.plugin;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// Finds the target for a method and a path. Literal paths win over paths with `:name` segments. Among those that match
/// and have the method, the one added first wins. One thread fills the table; after that many may read it.
///
/// @param <T> the targets of routes
public final class RouteTable<T> {
    /// The result of a search.
    public sealed interface Match<T> {
        /// @param pattern the route's path as it was added, for metrics
        /// @param parameters the values of its `:name` segments, decoded
        record Found<T>(T target, String pattern, Map<String, String> parameters) implements Match<T> {}

        /// The path exists, but only with other methods.
        record OtherMethods<T>(SortedSet<String> allowed) implements Match<T> {}

        record Unknown<T>() implements Match<T> {}
    }

    private record Entry<T>(PathPattern pattern, Map<String, T> targets) {}

    private final Map<String, Entry<T>> literal = new HashMap<>();
    private final List<Entry<T>> withParameters = new ArrayList<>();

    /// @throws IllegalArgumentException if there is already a route for the method and path
    public void add(String method, String path, T target) {
        PathPattern pattern = PathPattern.of(path);
        Entry<T> entry = pattern.isLiteral()
                ? literal.computeIfAbsent(path, _ -> new Entry<>(pattern, new TreeMap<>()))
                : entryOf(pattern);
        if (entry.targets().putIfAbsent(method, target) != null) {
            throw new IllegalArgumentException("two routes for %s %s".formatted(method, path));
        }
    }

    /// Finds the target of a request. `HEAD` uses the target of `GET` if it has none of its own.
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

    /// Decodes a path, or a part of one.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#INVALID_REQUEST] if it is not valid
    ///     percent-encoded UTF-8
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
