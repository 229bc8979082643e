package dev.perigee.config;

import dev.perigee.config.YamlFile.Scalar;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/// A mapping in a YAML file. The reader asks for each setting by name and says what it expects. [#done] then reports
/// every setting that nobody asked for as unknown. A setting without a value counts as missing.
final class Section {
    private record Entry(Node key, Node value) {}

    private final YamlFile file;
    private final String path;
    private final @Nullable Node node;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Set<String> asked = new LinkedHashSet<>();

    /// @param path the section's full name, such as `replication.tables[0]`; empty for the whole file
    /// @param node the section's node; null if the file does not have the section
    Section(YamlFile file, String path, @Nullable Node node) {
        this.file = file;
        this.path = path;
        this.node = node;
        if (node instanceof MappingNode mapping) {
            for (NodeTuple tuple : mapping.getValue()) add(tuple.getKeyNode(), tuple.getValueNode());
        } else if (node != null && !isNull(node)) {
            file.wrong(node, path.isEmpty() ? "perigee.yaml" : path, "expected settings with names, `name: value`");
        }
    }

    private void add(Node key, Node value) {
        if (!(key instanceof ScalarNode scalar)) {
            file.wrong(key, path, "expected a name");
        } else if (entries.putIfAbsent(scalar.getValue(), new Entry(key, value)) != null) {
            file.wrong(key, name(scalar.getValue()), "is set twice");
        }
    }

    boolean isMapping() {
        return node instanceof MappingNode;
    }

    Optional<String> text(String name) {
        return scalar(name).map(Scalar::value);
    }

    String text(String name, String otherwise) {
        return text(name).orElse(otherwise);
    }

    /// Text that must satisfy `isFine`. Not for secrets: a message quotes what was found in the file.
    String text(String name, String otherwise, Function<String, Boolean> isFine, String expected) {
        return parsed(name, expected, text -> isFine.apply(text) ? Optional.of(text) : Optional.empty())
                .orElse(otherwise);
    }

    boolean flag(String name, boolean otherwise) {
        return text(name, String.valueOf(otherwise), value -> value.matches("true|false"), "expected true or false")
                .equals("true");
    }

    long whole(String name, long min, long max, long otherwise) {
        String expected = "expected a whole number from %d to %d".formatted(min, max);
        return parsed(name, expected, text -> number(text).filter(n -> n >= min && n <= max))
                .orElse(otherwise);
    }

    int whole(String name, int min, int max, int otherwise) {
        return Math.toIntExact(whole(name, (long) min, (long) max, (long) otherwise));
    }

    long bytes(String name, long min, long max, long otherwise) {
        String expected = "expected a size from %s to %s, such as 64MB".formatted(Units.text(min), Units.text(max));
        return parsed(name, expected, text -> Units.bytes(text).filter(n -> n >= min && n <= max))
                .orElse(otherwise);
    }

    Duration duration(String name, Duration min, Duration max, Duration otherwise) {
        String expected = "expected a duration from %s to %s, such as 250ms, 5s or 2m"
                .formatted(Units.text(min), Units.text(max));
        return parsed(
                        name,
                        expected,
                        text -> Units.duration(text)
                                .filter(given -> given.compareTo(min) >= 0 && given.compareTo(max) <= 0))
                .orElse(otherwise);
    }

    /// The texts of a list; a single text counts as a list with one entry.
    List<String> texts(String name, List<String> otherwise) {
        Node value = value(name);
        if (value == null) return otherwise;
        if (!(value instanceof SequenceNode list))
            return text(name).map(List::of).orElse(otherwise);
        List<String> texts = new ArrayList<>();
        for (Node item : list.getValue()) {
            if (item instanceof ScalarNode scalar) {
                file.scalar(scalar, name(name)).ifPresent(text -> texts.add(text.value()));
            } else {
                file.wrong(item, name(name), "expected text");
            }
        }
        return texts;
    }

    /// The names of all settings, for a section in which the user chooses the names.
    Set<String> names() {
        return Set.copyOf(entries.keySet());
    }

    /// All settings of the section of that name, in which the user chooses the names.
    Map<String, String> pairs(String name) {
        Section section = section(name);
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String key : section.entries.keySet()) section.text(key).ifPresent(text -> pairs.put(key, text));
        return pairs;
    }

    /// The section of that name; an empty section if the file has none.
    Section section(String name) {
        return new Section(file, name(name), value(name));
    }

    /// The sections in the list of that name.
    List<Section> sections(String name) {
        Node value = value(name);
        if (value == null) return List.of();
        if (!(value instanceof SequenceNode list)) {
            file.wrong(value, name(name), "expected a list, each entry after a `-`");
            return List.of();
        }
        List<Section> sections = new ArrayList<>();
        for (Node item : list.getValue()) {
            String itemPath = "%s[%d]".formatted(name(name), sections.size());
            sections.add(new Section(file, itemPath, item));
        }
        return sections;
    }

    /// All settings by name, as text, numbers, booleans, null, lists, or maps of these. Marks all of them as asked for.
    Map<String, @Nullable Object> plain() {
        Map<String, @Nullable Object> plain = new LinkedHashMap<>();
        entries.forEach((name, entry) -> {
            asked.add(name);
            plain.put(name, plain(entry.value, name));
        });
        return plain;
    }

    private @Nullable Object plain(Node value, String name) {
        return switch (value) {
            case ScalarNode scalar -> {
                Scalar text = file.scalar(scalar, name(name)).orElse(null);
                if (text == null) yield null;
                // A variable's value cannot be quoted in the file, so it is read like a value without quotes.
                yield scalar.isPlain() || !text.isShown() ? typed(text.value()) : text.value();
            }
            case SequenceNode list -> {
                List<@Nullable Object> items = new ArrayList<>();
                for (Node item : list.getValue()) items.add(plain(item, name));
                yield items;
            }
            // Only few settings accept a mapping; the reader of the others reports it.
            default -> new Section(file, name(name), value).plain();
        };
    }

    /// The value that YAML gives to a text without quotes: null, true or false, a number, or the text itself.
    private static @Nullable Object typed(String text) {
        if (text.isEmpty() || text.equals("~") || text.equals("null")) return null;
        if (text.equals("true") || text.equals("false")) return Boolean.valueOf(text);
        if (text.matches("[-+]?[0-9]{1,40}")) return new BigInteger(text);
        return text.matches("[-+]?[0-9]{1,40}\\.[0-9]{1,40}") ? new BigDecimal(text) : text;
    }

    /// Reports a mistake in a setting at the setting's place, or at the section's place if the setting is missing.
    void wrong(String name, String expected) {
        Entry entry = entries.get(name);
        boolean isUnknown = expected.startsWith("there is no such field");
        file.wrong(entry == null ? node : isUnknown ? entry.key : entry.value, name(name), expected);
    }

    /// The setting's place in the file, for callers that report mistakes themselves.
    String place(String name) {
        Entry entry = entries.get(name);
        return file.place(entry == null ? Optional.empty() : entry.value.getStartMark());
    }

    ConfigErrors mistakes() {
        return file.mistakes();
    }

    /// Reports every setting that nobody asked for.
    void done() {
        entries.forEach((name, entry) -> {
            if (asked.contains(name)) return;
            file.wrong(entry.key, name(name), "there is no such setting; " + NameSuggestion.hint(name, asked));
        });
    }

    private <T> Optional<T> parsed(String name, String expected, Function<String, Optional<T>> parse) {
        Optional<Scalar> scalar = scalar(name);
        Optional<T> parsed = scalar.flatMap(given -> parse.apply(given.value()));
        if (scalar.isPresent() && parsed.isEmpty()) {
            wrong(
                    name,
                    scalar.get().isShown()
                            ? "%s, found \"%s\""
                                    .formatted(expected, shortened(scalar.get().value()))
                            : expected);
        }
        return parsed;
    }

    private Optional<Scalar> scalar(String name) {
        Node value = value(name);
        if (value == null) return Optional.empty();
        if (value instanceof ScalarNode scalar) return file.scalar(scalar, name(name));
        file.wrong(value, name(name), "expected one value");
        return Optional.empty();
    }

    private @Nullable Node value(String name) {
        asked.add(name);
        Entry entry = entries.get(name);
        return entry == null || isNull(entry.value) ? null : entry.value;
    }

    private static boolean isNull(Node value) {
        return value instanceof ScalarNode scalar && scalar.isPlain() && typed(scalar.getValue()) == null;
    }

    private static Optional<Long> number(String text) {
        return text.matches("-?[0-9]{1,18}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }

    private String name(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }
}
