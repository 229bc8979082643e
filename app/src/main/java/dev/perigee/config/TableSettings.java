package dev.perigee.config;

import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.config.TableConfig.Finding;
import dev.perigee.config.TableConfig.Layout;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.NullCursor;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.Reading;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.Schedule;
import dev.perigee.config.TableConfig.StampedBy;
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

/// Reads a table's settings from named fields, by the same rules for `perigee.yaml` and for the REST interface. Every
/// mistake is reported with its field.
public final class TableSettings {
    static final int MAX_PAGE_ROWS = 100_000;

    /// The most names in one list. No table of a source has more columns.
    static final int MAX_NAMES = 2000;

    private static final int MAX_NAME_LENGTH = 1000;
    private static final Set<String> SCHEDULES = Set.of("intervalMs", "interval", "cron");
    private static final Set<String> KNOWN = Set.of(
            "name",
            "mode",
            "cursorColumn",
            "intervalMs",
            "interval",
            "idleInterval",
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
            "group",
            "deletes",
            "maxDeletedShare",
            "verify",
            "settle",
            "stampedBy",
            "droppedColumns",
            "rowSecurity",
            "where",
            "paused");

    /// The values of settings that are set neither by a field nor by the table's settings before.
    private static final TableConfig DEFAULTS = TableConfig.of("", "", TableConfig.DEFAULT_INTERVAL);

    private final Map<String, ? extends @Nullable Object> fields;
    private final BiConsumer<String, String> wrong;
    private boolean isWrong;

    private TableSettings(Map<String, ? extends @Nullable Object> fields, BiConsumer<String, String> wrong) {
        this.fields = fields;
        this.wrong = wrong;
    }

    /// Reads and checks a table's settings.
    ///
    /// @param fields values by field name: text, numbers, booleans, null, or lists of these
    /// @param before the table's settings so far, which hold where a field is missing; empty for a new table
    /// @param wrong is called with the field and what was expected, for each mistake
    /// @return the settings; empty if there was a mistake
    public static Optional<TableConfig> read(
            Map<String, ? extends @Nullable Object> fields,
            Optional<TableConfig> before,
            BiConsumer<String, String> wrong) {
        return new TableSettings(spread(fields), wrong).config(before);
    }

    /// `interval: {active: 1s, idle: 5m}` as the two fields that it stands for. Any other form is left for the checks.
    private static Map<String, ? extends @Nullable Object> spread(Map<String, ? extends @Nullable Object> fields) {
        if (!(fields.get("interval") instanceof Map<?, ?> both) || fields.containsKey("idleInterval")) return fields;
        if (!both.keySet().equals(Set.of("active", "idle"))) return fields;
        Map<String, @Nullable Object> spread = new LinkedHashMap<>(fields);
        spread.put("interval", both.get("active"));
        spread.put("idleInterval", both.get("idle"));
        return spread;
    }

    /// All fields that have a value, in the form that [#read] takes.
    public static Map<String, Object> fields(TableConfig config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", config.name());
        fields.put("mode", word(config.mode()));
        config.cursorColumn().ifPresent(column -> fields.put("cursorColumn", column));
        if (config.cron().isEmpty()) fields.put("intervalMs", config.interval().toMillis());
        config.schedule().idleInterval().ifPresent(idle -> fields.put("idleInterval", Units.text(idle)));
        config.cron().ifPresent(cron -> fields.put("cron", cron));
        config.timeZone().ifPresent(zone -> fields.put("timeZone", zone));
        fields.put("key", config.key());
        fields.put("columns", config.masks().isEmpty() ? config.columns() : config.masks());
        fields.put("exclude", config.exclude());
        config.target().ifPresent(target -> fields.put("target", target));
        fields.put("pageRows", config.pageRows());
        fields.put("nullCursor", word(config.nullCursor()));
        fields.put("indexes", config.indexes());
        fields.put("numeric", word(config.numeric()));
        fields.put("timestamps", word(config.timestamps()));
        config.group().ifPresent(group -> fields.put("group", group));
        fields.put("deletes", config.deletes().text());
        fields.put("maxDeletedShare", config.maxDeletedShare());
        config.verify().ifPresent(verify -> fields.put("verify", Units.text(verify)));
        fields.put("settle", Units.text(config.settle()));
        fields.put("stampedBy", word(config.stampedBy()));
        fields.put("droppedColumns", word(config.droppedColumns()));
        fields.put("rowSecurity", word(config.rowSecurity()));
        config.where().ifPresent(where -> fields.put("where", where));
        fields.put("paused", config.paused());
        return fields;
    }

    private Optional<TableConfig> config(Optional<TableConfig> before) {
        for (String field : fields.keySet()) {
            if (!KNOWN.contains(field)) wrong(field, "there is no such field; " + NameSuggestion.hint(field, KNOWN));
        }
        TableConfig base = before.orElse(DEFAULTS);
        String name = text("name", before.map(TableConfig::name)).orElse("");
        if (name.isEmpty()) wrong("name", "expected the table's name at the source");
        Mode mode = word("mode", Mode.values(), base.mode());
        boolean isRescheduled = SCHEDULES.stream().anyMatch(fields::containsKey);
        Optional<String> cron = isRescheduled ? text("cron", Optional.empty()) : base.cron();
        Optional<String> zone = text("timeZone", cron.isPresent() ? base.timeZone() : Optional.empty());
        if (fields.containsKey("timeZone") && cron.isEmpty()) wrong("timeZone", "expected only together with `cron`");
        Finding finding = new Finding(
                mode,
                cursorColumn(mode, before.flatMap(TableConfig::cursorColumn)),
                word("nullCursor", NullCursor.values(), base.nullCursor()));
        Duration interval = interval(base.interval());
        Optional<Duration> idle =
                cron.isPresent() ? Optional.empty() : base.schedule().idleInterval();
        Schedule schedule = new Schedule(
                interval,
                duration("idleInterval", interval, TableConfig.MAX_INTERVAL, idle),
                cron,
                zone,
                flag("paused", base.paused()));
        TableConfig config = new TableConfig(
                name,
                finding,
                schedule,
                layout(base.layout()),
                pageRows(base.pageRows()),
                text("group", base.group()),
                promises(mode, base.promises()),
                reading(base.reading()));
        checkSchedule(config);
        if (mode == Mode.LOG) checkLog(config);
        return isWrong ? Optional.empty() : Optional.of(config);
    }

    /// Refuses what cannot be done yet for a table whose changes come from the source's log.
    private void checkLog(TableConfig config) {
        String not = "expected none in mode `log`, which cannot do this yet";
        if (config.group().isPresent()) {
            wrong("group", "expected none in mode `log`: the tables of a source's log change together anyway");
        }
        if (config.where().isPresent()) wrong("where", not);
        if (!config.masks().isEmpty()) wrong("columns", "expected no expressions in mode `log`");
        if (config.cron().isPresent()) wrong("cron", "expected none in mode `log`, which applies each change at once");
        if (!(config.deletes() instanceof Deletes.Ignore)) {
            wrong("deletes", "expected `ignore` in mode `log`, in which deleted rows leave the copy anyway");
        }
        if (config.rowSecurity() == RowSecurity.FILTERED) {
            wrong("rowSecurity", "expected `refused` in mode `log`: the source's log has the rows that policies hide");
        }
    }

    private Reading reading(Reading base) {
        return new Reading(
                word("rowSecurity", RowSecurity.values(), base.rowSecurity()),
                where(base.where()),
                fields.containsKey("columns") ? masks(fields.get("columns")) : base.masks());
    }

    /// The expressions of `columns`, where it is an object. A list of names has none.
    private Map<String, String> masks(@Nullable Object columns) {
        Map<String, String> masks = new LinkedHashMap<>();
        if (!(columns instanceof Map<?, ?> expressions)) return masks;
        boolean isFine = !expressions.isEmpty() && expressions.size() <= MAX_NAMES;
        for (Map.Entry<?, ?> entry : expressions.entrySet()) {
            if (entry.getKey() instanceof String name
                    && entry.getValue() instanceof String text
                    && !text.isBlank()
                    && text.length() <= Reading.MAX_EXPRESSION) masks.put(name, text.strip());
            else isFine = false;
        }
        if (!isFine) {
            wrong(
                    "columns",
                    "expected for each column to mask an expression of 1 to %d characters in the source's SQL, such as {\"email\": \"md5(email)\"}"
                            .formatted(Reading.MAX_EXPRESSION));
        }
        return masks;
    }

    private Optional<String> where(Optional<String> before) {
        Optional<String> where = text("where", Reading.MAX_EXPRESSION, before).map(String::strip);
        if (where.filter(String::isEmpty).isPresent()) {
            wrong("where", "expected a condition in the source's SQL, such as \"status = 'open'\"");
        }
        return where;
    }

    private Layout layout(Layout base) {
        return new Layout(
                names("key", base.key()),
                fields.get("columns") instanceof Map ? List.of() : names("columns", base.columns()),
                names("exclude", base.exclude()),
                text("target", base.target()),
                flag("indexes", base.indexes()),
                word("numeric", NumericStorage.values(), base.numeric()),
                word("timestamps", TimestampStorage.values(), base.timestamps()),
                word("droppedColumns", DroppedColumns.values(), base.droppedColumns()));
    }

    /// The cursor column for a mode. A table that changes to a mode without a cursor loses its cursor column silently;
    /// it is a mistake only if `cursorColumn` is set together with such a mode.
    private Optional<String> cursorColumn(Mode mode, Optional<String> before) {
        Optional<String> column = text("cursorColumn", mode == Mode.CURSOR ? before : Optional.empty());
        if (mode == Mode.CURSOR && column.isEmpty()) {
            wrong(
                    "cursorColumn",
                    "expected a column whose value grows with every insert and update, or `mode`: `xmin`, `full` or `log`");
        }
        if (mode != Mode.CURSOR && column.isPresent()) {
            wrong(
                    "cursorColumn",
                    "expected none in mode `%s`, which finds rows without a cursor; leave it out or choose `mode`: `cursor`"
                            .formatted(word(mode)));
        }
        return column;
    }

    private GuaranteeSettings promises(Mode mode, GuaranteeSettings base) {
        return new GuaranteeSettings(
                duration("settle", Duration.ZERO, GuaranteeSettings.MAX_SETTLE, Optional.of(base.settle()))
                        .orElse(GuaranteeSettings.DEFAULT_SETTLE),
                word("stampedBy", StampedBy.values(), base.stampedBy()),
                duration("verify", GuaranteeSettings.MIN_VERIFY, GuaranteeSettings.MAX_VERIFY, base.verify()),
                deletes(mode, base.deletes()),
                share(base.maxDeletedShare()));
    }

    private Deletes deletes(Mode mode, Deletes before) {
        Deletes deletes = before;
        try {
            deletes = text("deletes", Optional.of(before.text()))
                    .map(Deletes::parse)
                    .orElse(new Deletes.Ignore());
        } catch (IllegalArgumentException e) {
            wrong("deletes", String.valueOf(e.getMessage()));
        }
        if (mode == Mode.FULL && !(deletes instanceof Deletes.Ignore)) {
            wrong(
                    "deletes",
                    "expected `ignore` in mode `full`, which fetches all rows each time, so that deleted rows leave the copy anyway");
        }
        return deletes;
    }

    private double share(double otherwise) {
        String field = "maxDeletedShare";
        if (!fields.containsKey(field)) return otherwise;
        Object value = fields.get(field);
        if (value == null) return GuaranteeSettings.DEFAULT_MAX_DELETED_SHARE;
        if (value instanceof Number share && share.doubleValue() > 0 && share.doubleValue() <= 1) {
            return share.doubleValue();
        }
        wrong(field, "expected a number above 0 and at most 1, such as 0.2 for a fifth of the rows");
        return otherwise;
    }

    private Optional<Duration> duration(String field, Duration min, Duration max, Optional<Duration> before) {
        if (!fields.containsKey(field)) return before;
        if (fields.get(field) == null) return Optional.empty();
        Optional<Duration> duration =
                fields.get(field) instanceof String text ? Units.duration(text) : Optional.empty();
        if (duration.filter(d -> d.compareTo(min) >= 0 && d.compareTo(max) <= 0).isPresent()) return duration;
        wrong(field, "expected a duration from %s to %s, such as \"1h\"".formatted(Units.text(min), Units.text(max)));
        return before;
    }

    private void checkSchedule(TableConfig config) {
        long given = SCHEDULES.stream().filter(fields::containsKey).count();
        if (given > 1) wrong("intervalMs", "expected only one of cron, interval, intervalMs");
        if (config.cron().isPresent() && config.schedule().idleInterval().isPresent()) {
            wrong("idleInterval", "expected only together with an interval, not with `cron`");
        }
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
                wrong("interval", "expected a duration such as \"5s\", \"1m\" or \"2h\", or {active: 1s, idle: 5m}");
                return otherwise;
            }
            interval = parsed.get();
        }
        if (interval.compareTo(TableConfig.MIN_INTERVAL) < 0 || interval.compareTo(TableConfig.MAX_INTERVAL) > 0) {
            wrong(
                    fields.containsKey("intervalMs") ? "intervalMs" : "interval",
                    "expected %d to %d ms, found %d"
                            .formatted(
                                    TableConfig.MIN_INTERVAL.toMillis(),
                                    TableConfig.MAX_INTERVAL.toMillis(),
                                    interval.toMillis()));
        }
        return interval;
    }

    /// The field's text, else `before`. A field that is `null` removes the setting.
    private Optional<String> text(String field, Optional<String> before) {
        return text(field, MAX_NAME_LENGTH, before);
    }

    private Optional<String> text(String field, int maxLength, Optional<String> before) {
        if (!fields.containsKey(field)) return before;
        return switch (fields.get(field)) {
            case null -> Optional.empty();
            case String text when !text.isEmpty() && text.length() <= maxLength -> Optional.of(text);
            default -> {
                wrong(field, "expected text of 1 to %d characters".formatted(maxLength));
                yield before;
            }
        };
    }

    private List<String> names(String field, List<String> before) {
        if (!fields.containsKey(field)) return before;
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
