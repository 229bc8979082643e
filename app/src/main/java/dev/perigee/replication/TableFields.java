package dev.perigee.replication;

import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// A table's settings as JSON: read strictly, with every mistake named by its field, and written.
final class TableFields {
    /// Longest time between two syncs.
    static final Duration MAX_INTERVAL = Duration.ofDays(366);

    static final int MAX_PAGE_ROWS = 100_000;

    /// Most names in one list: a source's table has no more columns.
    static final int MAX_NAMES = 2000;

    private static final int MAX_NAME_LENGTH = 1000;
    private static final Pattern DURATION = Pattern.compile("(\\d{1,12})\\s*(ms|s|m|h|d)");
    private static final Set<String> SCHEDULES = Set.of("intervalMs", "interval", "cron");
    private static final Set<String> KNOWN = Set.of(
            "name",
            "cursorColumn",
            "intervalMs",
            "interval",
            "cron",
            "timeZone",
            "key",
            "columns",
            "exclude",
            "target",
            "pageRows",
            "nullCursor",
            "indexes",
            "numeric",
            "timestamps",
            "paused");

    private final JsonNode node;
    private final String path;
    private final List<String> mistakes;

    private TableFields(JsonNode node, String path, List<String> mistakes) {
        this.node = node;
        this.path = path;
        this.mistakes = mistakes;
    }

    /// The tables of a `POST` body: one object, or `{"tables": […]}`.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#INVALID_REQUEST] naming every field that is wrong
    static List<TableConfig> tables(JsonNode body) {
        List<String> mistakes = new ArrayList<>();
        List<TableConfig> configs = new ArrayList<>();
        if (!body.isObject()) {
            mistakes.add("the body is not an object");
        } else if (!body.has("tables")) {
            new TableFields(body, "", mistakes).config(Optional.empty()).ifPresent(configs::add);
        } else if (!body.get("tables").isArray() || body.get("tables").isEmpty()) {
            mistakes.add("`tables`: expected an array with at least one table");
        } else if (body.size() > 1) {
            mistakes.add("beside `tables` no other field is expected");
        } else if (body.get("tables").size() > Tables.MAX_TABLES) {
            mistakes.add("`tables`: expected at most %d tables".formatted(Tables.MAX_TABLES));
        } else {
            int i = 0;
            for (JsonNode table : body.get("tables")) {
                new TableFields(table, "tables[%d]".formatted(i++), mistakes)
                        .config(Optional.empty())
                        .ifPresent(configs::add);
            }
        }
        Set<String> names = new HashSet<>();
        for (TableConfig config : configs) {
            if (!names.add(config.name())) mistakes.add("`name`: \"%s\" is there twice".formatted(config.name()));
        }
        refuse(mistakes);
        return configs;
    }

    /// The settings after a `PATCH` of those a table has.
    static TableConfig patched(TableConfig before, JsonNode body) {
        List<String> mistakes = new ArrayList<>();
        if (!body.isObject()) mistakes.add("the body is not an object");
        else if (body.isEmpty()) mistakes.add("the body has no field to change");
        Optional<TableConfig> after =
                mistakes.isEmpty() ? new TableFields(body, "", mistakes).config(Optional.of(before)) : Optional.empty();
        if (after.isPresent() && !after.get().name().equals(before.name())) {
            mistakes.add("`name`: a table's name cannot be changed; remove it and add the other");
        }
        refuse(mistakes);
        return after.orElseThrow();
    }

    /// As `GET` shows it: every field that has a value.
    static Map<String, Object> json(ConfiguredTable table) {
        TableConfig config = table.config();
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("name", config.name());
        json.put("cursorColumn", config.cursorColumn());
        if (config.cron().isEmpty()) json.put("intervalMs", config.interval().toMillis());
        config.cron().ifPresent(cron -> json.put("cron", cron));
        config.timeZone().ifPresent(zone -> json.put("timeZone", zone));
        json.put("key", config.key());
        json.put("columns", config.columns());
        json.put("exclude", config.exclude());
        config.target().ifPresent(target -> json.put("target", target));
        json.put("pageRows", config.pageRows());
        json.put("nullCursor", ConfigTable.word(config.nullCursor()));
        json.put("indexes", config.indexes());
        json.put("numeric", ConfigTable.word(config.numeric()));
        json.put("timestamps", ConfigTable.word(config.timestamps()));
        json.put("paused", config.paused());
        json.put("origin", ConfigTable.word(table.origin()));
        return json;
    }

    /// The same settings with or without a pause.
    static TableConfig paused(TableConfig config, boolean paused) {
        return new TableConfig(
                config.name(),
                config.cursorColumn(),
                config.interval(),
                config.cron(),
                config.timeZone(),
                config.key(),
                config.columns(),
                config.exclude(),
                config.target(),
                config.pageRows(),
                config.nullCursor(),
                config.indexes(),
                config.numeric(),
                config.timestamps(),
                paused);
    }

    private static void refuse(List<String> mistakes) {
        if (mistakes.isEmpty()) return;
        throw Fault.INVALID_REQUEST.in("the request's body", String.join("; ", mistakes), "Nothing was changed");
    }

    private Optional<TableConfig> config(Optional<TableConfig> before) {
        if (!node.isObject()) {
            mistakes.add("`%s`: expected an object".formatted(path));
            return Optional.empty();
        }
        int mistakesBefore = mistakes.size();
        for (String field : node.propertyNames()) {
            if (!KNOWN.contains(field)) wrong(field, "there is no such field; expected one of " + sorted(KNOWN));
        }
        String name = text("name", before.map(TableConfig::name)).orElse("");
        String cursor =
                text("cursorColumn", before.map(TableConfig::cursorColumn)).orElse("");
        if (name.isEmpty()) wrong("name", "expected the table's name at the source");
        if (cursor.isEmpty()) wrong("cursorColumn", "expected a column whose value grows with every insert and update");
        boolean isRescheduled = SCHEDULES.stream().anyMatch(node::has);
        Optional<String> cron = isRescheduled ? text("cron", Optional.empty()) : before.flatMap(TableConfig::cron);
        Duration interval = interval(before.map(TableConfig::interval).orElse(TableConfig.DEFAULT_INTERVAL));
        Optional<String> zone =
                text("timeZone", cron.isPresent() ? before.flatMap(TableConfig::timeZone) : Optional.empty());
        if (node.has("timeZone") && cron.isEmpty()) wrong("timeZone", "expected only together with `cron`");
        TableConfig config = new TableConfig(
                name,
                cursor,
                interval,
                cron,
                zone,
                names("key", before.map(TableConfig::key)),
                names("columns", before.map(TableConfig::columns)),
                names("exclude", before.map(TableConfig::exclude)),
                text("target", before.flatMap(TableConfig::target)),
                whole(
                        "pageRows",
                        1,
                        MAX_PAGE_ROWS,
                        before.map(TableConfig::pageRows).orElse(TableConfig.DEFAULT_PAGE_ROWS)),
                word(
                        "nullCursor",
                        NullCursor.values(),
                        before.map(TableConfig::nullCursor).orElse(NullCursor.INCLUDE)),
                flag("indexes", before.map(TableConfig::indexes).orElse(false)),
                word(
                        "numeric",
                        NumericStorage.values(),
                        before.map(TableConfig::numeric).orElse(NumericStorage.EXACT)),
                word(
                        "timestamps",
                        TimestampStorage.values(),
                        before.map(TableConfig::timestamps).orElse(TimestampStorage.ISO)),
                flag("paused", before.map(TableConfig::paused).orElse(false)));
        checkSchedule(config);
        return mistakes.size() == mistakesBefore ? Optional.of(config) : Optional.empty();
    }

    private void checkSchedule(TableConfig config) {
        long given = SCHEDULES.stream().filter(node::has).count();
        if (given > 1) wrong("intervalMs", "expected only one of " + sorted(SCHEDULES));
        config.timeZone().ifPresent(zone -> attempt("timeZone", () -> Schedule.zone(zone)));
        if (config.cron().isPresent()
                && config.timeZone().filter(z -> !isZone(z)).isEmpty()) {
            attempt("cron", () -> Schedule.of(config));
        }
    }

    private static boolean isZone(String name) {
        try {
            Schedule.zone(name);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private void attempt(String field, Runnable parsing) {
        try {
            parsing.run();
        } catch (IllegalArgumentException e) {
            wrong(field, String.valueOf(e.getMessage()));
        }
    }

    private Duration interval(Duration otherwise) {
        Duration interval = otherwise;
        if (node.has("intervalMs")) {
            JsonNode value = node.get("intervalMs");
            if (!value.isIntegralNumber() || !value.canConvertToLong()) {
                wrong("intervalMs", "expected a whole number of milliseconds");
                return otherwise;
            }
            interval = Duration.ofMillis(value.asLong());
        } else if (node.has("interval")) {
            Optional<Duration> parsed = text("interval", Optional.empty()).flatMap(TableFields::duration);
            if (parsed.isEmpty()) {
                wrong("interval", "expected a duration such as \"5s\", \"1m\" or \"2h\"");
                return otherwise;
            }
            interval = parsed.get();
        }
        if (interval.compareTo(TableConfig.MIN_INTERVAL) < 0 || interval.compareTo(MAX_INTERVAL) > 0) {
            wrong(
                    node.has("interval") ? "interval" : "intervalMs",
                    "expected %d to %d ms, found %d"
                            .formatted(
                                    TableConfig.MIN_INTERVAL.toMillis(), MAX_INTERVAL.toMillis(), interval.toMillis()));
        }
        return interval;
    }

    private static Optional<Duration> duration(String text) {
        Matcher matcher = DURATION.matcher(text.strip());
        if (!matcher.matches()) return Optional.empty();
        long amount = Long.parseLong(matcher.group(1));
        return Optional.of(
                switch (matcher.group(2)) {
                    case "ms" -> Duration.ofMillis(amount);
                    case "s" -> Duration.ofSeconds(amount);
                    case "m" -> Duration.ofMinutes(amount);
                    case "h" -> Duration.ofHours(amount);
                    default -> Duration.ofDays(amount);
                });
    }

    /// A field that is `null` is as if it had never been set.
    private Optional<String> text(String field, Optional<String> before) {
        JsonNode value = node.get(field);
        if (value == null) return before;
        if (value.isNull()) return Optional.empty();
        if (value.isString()
                && !value.stringValue().isEmpty()
                && value.stringValue().length() <= MAX_NAME_LENGTH) {
            return Optional.of(value.stringValue());
        }
        wrong(field, "expected text of 1 to %d characters".formatted(MAX_NAME_LENGTH));
        return before;
    }

    private List<String> names(String field, Optional<List<String>> before) {
        JsonNode value = node.get(field);
        if (value == null) return before.orElse(List.of());
        if (value.isNull()) return List.of();
        List<String> names = new ArrayList<>();
        boolean isFine = value.isArray() && value.size() <= MAX_NAMES;
        for (JsonNode name : value) {
            isFine &= name.isString() && !names.contains(name.stringValue());
            if (isFine) names.add(name.stringValue());
        }
        if (!isFine) wrong(field, "expected an array of at most %d different column names".formatted(MAX_NAMES));
        return names;
    }

    private int whole(String field, int min, int max, int otherwise) {
        JsonNode value = node.get(field);
        if (value == null || value.isNull()) return value == null ? otherwise : TableConfig.DEFAULT_PAGE_ROWS;
        if (value.isIntegralNumber() && value.canConvertToInt() && value.asInt() >= min && value.asInt() <= max) {
            return value.asInt();
        }
        wrong(field, "expected a whole number from %d to %d".formatted(min, max));
        return otherwise;
    }

    private boolean flag(String field, boolean otherwise) {
        JsonNode value = node.get(field);
        if (value == null) return otherwise;
        if (!value.isBoolean()) wrong(field, "expected true or false");
        return value.asBoolean(otherwise);
    }

    private <E extends Enum<E>> E word(String field, E[] choices, E otherwise) {
        JsonNode value = node.get(field);
        if (value == null) return otherwise;
        for (E choice : choices) {
            if (value.isString() && value.stringValue().equals(ConfigTable.word(choice))) return choice;
        }
        wrong(
                field,
                "expected one of "
                        + Arrays.stream(choices).map(ConfigTable::word).collect(Collectors.joining(", ")));
        return otherwise;
    }

    private void wrong(String field, String expected) {
        mistakes.add("`%s`: %s".formatted(path.isEmpty() ? field : path + "." + field, expected));
    }

    private static String sorted(Set<String> names) {
        return names.stream().sorted().collect(Collectors.joining(", "));
    }
}
