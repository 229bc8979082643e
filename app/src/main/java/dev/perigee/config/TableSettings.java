package dev.perigee.config;

import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A table's settings by their names: the one set of rules for `perigee.yaml` and for the REST interface. Every
/// mistake is named by its field.
public final class TableSettings {
    /// Longest time between two syncs.
    static final Duration MAX_INTERVAL = Duration.ofDays(366);

    static final int MAX_PAGE_ROWS = 100_000;

    /// Most names in one list: a source's table has no more columns.
    static final int MAX_NAMES = 2000;

    private static final int MAX_NAME_LENGTH = 1000;
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

    private final Map<String, ? extends @Nullable Object> fields;
    private final BiConsumer<String, String> wrong;
    private boolean isWrong;

    private TableSettings(Map<String, ? extends @Nullable Object> fields, BiConsumer<String, String> wrong) {
        this.fields = fields;
        this.wrong = wrong;
    }

    /// @param fields by name: text, whole numbers, booleans, lists of them, null
    /// @param before what holds where a field is missing; empty for a new table
    /// @param wrong is told each field that is wrong, and what was expected
    /// @return empty if anything is wrong
    public static Optional<TableConfig> read(
            Map<String, ? extends @Nullable Object> fields,
            Optional<TableConfig> before,
            BiConsumer<String, String> wrong) {
        return new TableSettings(fields, wrong).config(before);
    }

    /// Every field that has a value, as [#read] takes it.
    public static Map<String, Object> fields(TableConfig config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", config.name());
        fields.put("cursorColumn", config.cursorColumn());
        if (config.cron().isEmpty()) fields.put("intervalMs", config.interval().toMillis());
        config.cron().ifPresent(cron -> fields.put("cron", cron));
        config.timeZone().ifPresent(zone -> fields.put("timeZone", zone));
        fields.put("key", config.key());
        fields.put("columns", config.columns());
        fields.put("exclude", config.exclude());
        config.target().ifPresent(target -> fields.put("target", target));
        fields.put("pageRows", config.pageRows());
        fields.put("nullCursor", word(config.nullCursor()));
        fields.put("indexes", config.indexes());
        fields.put("numeric", word(config.numeric()));
        fields.put("timestamps", word(config.timestamps()));
        fields.put("paused", config.paused());
        return fields;
    }

    private Optional<TableConfig> config(Optional<TableConfig> before) {
        for (String field : fields.keySet()) {
            if (!KNOWN.contains(field)) wrong(field, "there is no such field; " + NearName.hint(field, KNOWN));
        }
        String name = text("name", before.map(TableConfig::name)).orElse("");
        String cursor =
                text("cursorColumn", before.map(TableConfig::cursorColumn)).orElse("");
        if (name.isEmpty()) wrong("name", "expected the table's name at the source");
        if (cursor.isEmpty()) wrong("cursorColumn", "expected a column whose value grows with every insert and update");
        boolean isRescheduled = SCHEDULES.stream().anyMatch(fields::containsKey);
        Optional<String> cron = isRescheduled ? text("cron", Optional.empty()) : before.flatMap(TableConfig::cron);
        Duration interval = interval(before.map(TableConfig::interval).orElse(TableConfig.DEFAULT_INTERVAL));
        Optional<String> zone =
                text("timeZone", cron.isPresent() ? before.flatMap(TableConfig::timeZone) : Optional.empty());
        if (fields.containsKey("timeZone") && cron.isEmpty()) wrong("timeZone", "expected only together with `cron`");
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
                pageRows(before.map(TableConfig::pageRows).orElse(TableConfig.DEFAULT_PAGE_ROWS)),
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
        return isWrong ? Optional.empty() : Optional.of(config);
    }

    private void checkSchedule(TableConfig config) {
        long given = SCHEDULES.stream().filter(fields::containsKey).count();
        if (given > 1) wrong("intervalMs", "expected only one of cron, interval, intervalMs");
        boolean isZoneFine = config.timeZone()
                .map(zone -> attempt("timeZone", () -> CronTimes.zone(zone)))
                .orElse(true);
        if (config.cron().isEmpty() || !isZoneFine) return;
        attempt(
                "cron",
                () -> CronTimes.of(
                        config.cron().get(), CronTimes.zone(config.timeZone().orElse("UTC"))));
    }

    private boolean attempt(String field, Runnable parsing) {
        try {
            parsing.run();
            return true;
        } catch (IllegalArgumentException e) {
            wrong(field, String.valueOf(e.getMessage()));
            return false;
        }
    }

    private Duration interval(Duration otherwise) {
        Duration interval = otherwise;
        if (fields.containsKey("intervalMs")) {
            Optional<Long> millis = whole(fields.get("intervalMs"));
            if (millis.isEmpty()) {
                wrong("intervalMs", "expected a whole number of milliseconds");
                return otherwise;
            }
            interval = Duration.ofMillis(millis.get());
        } else if (fields.containsKey("interval")) {
            Optional<Duration> parsed = text("interval", Optional.empty()).flatMap(Units::duration);
            if (parsed.isEmpty()) {
                wrong("interval", "expected a duration such as \"5s\", \"1m\" or \"2h\"");
                return otherwise;
            }
            interval = parsed.get();
        }
        if (interval.compareTo(TableConfig.MIN_INTERVAL) < 0 || interval.compareTo(MAX_INTERVAL) > 0) {
            wrong(
                    fields.containsKey("intervalMs") ? "intervalMs" : "interval",
                    "expected %d to %d ms, found %d"
                            .formatted(
                                    TableConfig.MIN_INTERVAL.toMillis(), MAX_INTERVAL.toMillis(), interval.toMillis()));
        }
        return interval;
    }

    /// A field that is `null` is as if it had never been set.
    private Optional<String> text(String field, Optional<String> before) {
        if (!fields.containsKey(field)) return before;
        return switch (fields.get(field)) {
            case null -> Optional.empty();
            case String text when !text.isEmpty() && text.length() <= MAX_NAME_LENGTH -> Optional.of(text);
            default -> {
                wrong(field, "expected text of 1 to %d characters".formatted(MAX_NAME_LENGTH));
                yield before;
            }
        };
    }

    private List<String> names(String field, Optional<List<String>> before) {
        if (!fields.containsKey(field)) return before.orElse(List.of());
        Object value = fields.get(field);
        if (value == null) return List.of();
        List<String> names = new ArrayList<>();
        boolean isFine = value instanceof List<?> list && list.size() <= MAX_NAMES;
        for (Object name : value instanceof List<?> list ? list : List.of()) {
            if (name instanceof String text && !names.contains(text)) names.add(text);
            else isFine = false;
        }
        if (!isFine) wrong(field, "expected an array of at most %d different column names".formatted(MAX_NAMES));
        return names;
    }

    private int pageRows(int otherwise) {
        String field = "pageRows";
        if (!fields.containsKey(field)) return otherwise;
        Object value = fields.get(field);
        if (value == null) return TableConfig.DEFAULT_PAGE_ROWS;
        Optional<Long> rows = whole(value).filter(number -> number >= 1 && number <= MAX_PAGE_ROWS);
        if (rows.isEmpty()) wrong(field, "expected a whole number from 1 to %d".formatted(MAX_PAGE_ROWS));
        return rows.map(Math::toIntExact).orElse(otherwise);
    }

    private boolean flag(String field, boolean otherwise) {
        if (!fields.containsKey(field)) return otherwise;
        if (fields.get(field) instanceof Boolean flag) return flag;
        wrong(field, "expected true or false");
        return otherwise;
    }

    private <E extends Enum<E>> E word(String field, E[] choices, E otherwise) {
        if (!fields.containsKey(field)) return otherwise;
        for (E choice : choices) {
            if (word(choice).equals(fields.get(field))) return choice;
        }
        wrong(
                field,
                "expected one of "
                        + Arrays.stream(choices).map(TableSettings::word).collect(Collectors.joining(", ")));
        return otherwise;
    }

    private static Optional<Long> whole(@Nullable Object value) {
        return switch (value) {
            case Integer number -> Optional.of(number.longValue());
            case Long number -> Optional.of(number);
            case BigInteger number when number.bitLength() < Long.SIZE -> Optional.of(number.longValue());
            case null, default -> Optional.empty();
        };
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private void wrong(String field, String expected) {
        isWrong = true;
        wrong.accept(field, expected);
    }
}
