package dev.perigee.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.config.TableConfig.Finding;
import dev.perigee.config.TableConfig.Layout;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.Reading;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.Schedule;
import dev.perigee.config.TableConfig.StampedBy;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableSettingsTest {
    private static final TableConfig BY_CURSOR = TableConfig.of("t", "c", Duration.ofSeconds(5));

    private final Map<String, String> mistakes = new LinkedHashMap<>();

    @Test
    void what_is_shown_is_what_is_read() {
        TableConfig config = TableConfig.of("t", Mode.XMIN, Duration.ofSeconds(5)).toBuilder()
                .group("g")
                .deletes(new Deletes.Soft("gone"))
                .maxDeletedShare(0.5)
                .verify(Duration.ofHours(24))
                .settle(Duration.ZERO)
                .stampedBy(StampedBy.CLIENT)
                .droppedColumns(DroppedColumns.DROP)
                .rowSecurity(RowSecurity.FILTERED)
                .where(Optional.of("a > 1"))
                .build();

        assertThat(read(TableSettings.fields(config), Optional.empty())).contains(config);
        assertThat(read(TableSettings.fields(BY_CURSOR), Optional.empty())).contains(BY_CURSOR);
        assertThat(read(Map.of("pageRows", 7), Optional.of(config)))
                .contains(config.toBuilder().pageRows(7).build());
    }

    @Test
    void every_component_has_a_field() {
        Set<String> names = new TreeSet<>(
                Set.of("name", "pageRows", "group", "intervalMs")); // an interval is shown in milliseconds
        Stream.of(Finding.class, Schedule.class, Layout.class, GuaranteeSettings.class, Reading.class)
                .flatMap(part -> Arrays.stream(part.getRecordComponents()))
                .map(RecordComponent::getName)
                .filter(name -> !name.equals("interval") && !name.equals("masks")) // masks are a form of columns
                .forEach(names::add);
        TableConfig full = BY_CURSOR.toBuilder()
                .target(Optional.of("x"))
                .group("g")
                .idleInterval(Duration.ofMinutes(5))
                .verify(Duration.ofHours(1))
                .where(Optional.of("a > 1"))
                .build();
        Set<String> shown = new TreeSet<>(TableSettings.fields(full).keySet());
        shown.addAll(
                TableSettings.fields(full.toBuilder().cron("0 3 * * *", "UTC").build())
                        .keySet());

        assertThat(shown).isEqualTo(names);
        assertThat(Arrays.stream(TableConfig.class.getRecordComponents())
                        .filter(component -> !component.getType().isRecord())
                        .map(RecordComponent::getName))
                .isSubsetOf(names);
    }

    @Test
    void an_interval_may_be_two() {
        TableConfig both = TableConfig.of("t", "c", Duration.ofSeconds(1)).toBuilder()
                .idleInterval(Duration.ofMinutes(5))
                .build();

        assertThat(read(Map.of("interval", Map.of("active", "1s", "idle", "5m")), Optional.of(BY_CURSOR)))
                .contains(both);
        assertThat(read(Map.of("interval", Map.of("active", "1s")), Optional.of(BY_CURSOR)))
                .isEmpty();
        assertThat(mistakes.get("interval")).contains("{active: 1s, idle: 5m}");
        assertThat(read(Map.of("interval", Map.of("active", "5m", "idle", "1s")), Optional.of(BY_CURSOR)))
                .isEmpty();
        assertThat(mistakes.get("idleInterval")).contains("expected a duration from 5m");
    }

    @Test
    void a_table_without_cursor_and_mode_is_told_of_both() {
        assertThat(read(Map.of("name", "t"), Optional.empty())).isEmpty();
        assertThat(mistakes.get("cursorColumn")).contains("grows with every insert", "`mode`: `xmin`, `full` or `log`");

        assertThat(read(nullable("name", "t", "cursorColumn", null), Optional.empty()))
                .isEmpty();
        assertThat(read(nullable("cursorColumn", null), Optional.of(BY_CURSOR))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"xmin", "full"})
    void another_mode_lets_go_of_the_cursor_and_refuses_one_that_is_named(String mode) {
        assertThat(read(Map.of("mode", mode), Optional.of(BY_CURSOR))
                        .orElseThrow()
                        .cursorColumn())
                .isEmpty();
        TableConfig changed = read(nullable("mode", mode, "cursorColumn", null), Optional.of(BY_CURSOR))
                .orElseThrow();
        assertThat(changed.cursorColumn()).isEmpty();
        assertThat(mistakes).isEmpty();

        assertThat(read(Map.of("mode", "cursor"), Optional.of(changed))).isEmpty();
        assertThat(read(Map.of("mode", "cursor", "cursorColumn", "c"), Optional.of(changed)))
                .contains(BY_CURSOR);

        assertThat(read(Map.of("mode", mode, "cursorColumn", "c"), Optional.of(BY_CURSOR)))
                .isEmpty();
        assertThat(mistakes.get("cursorColumn")).contains("expected none in mode `%s`".formatted(mode));
    }

    @Test
    void where_everything_is_fetched_deletes_need_no_rule_and_a_group_is_fine() {
        TableConfig swept = BY_CURSOR.toBuilder()
                .deletes(new Deletes.Sweep(Duration.ofMinutes(10)))
                .build();

        assertThat(read(Map.of("mode", "full"), Optional.of(swept))).isEmpty();
        assertThat(mistakes.get("deletes")).contains("expected `ignore` in mode `full`");
        assertThat(read(Map.of("mode", "full", "deletes", "ignore", "group", "g"), Optional.of(swept)))
                .isPresent();
        assertThat(read(Map.of("mode", "xmin"), Optional.of(swept))).isPresent();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            mode           | logs    | expected one of cursor, xmin, full, log
            group          |         | expected text of 1 to 1000 characters
            deletes        | hard    | expected ignore, soft(column) or sweep(interval)
            verify         | 59s     | expected a duration from 1m to 366d
            verify         | daily   | expected a duration from 1m to 366d
            settle         | 3601s   | expected a duration from 0s to 1h
            stampedBy      | nobody  | expected one of auto, source, client
            droppedColumns | hide    | expected one of keep, drop
            rowSecurity    | off     | expected one of refused, filtered
            maxDeletedShare | 0.2    | expected a number above 0 and at most 1
            """)
    void what_cannot_be_is_named_with_what_was_expected(String field, @Nullable String value, String expected) {
        assertThat(read(Map.of(field, value == null ? "" : value), Optional.of(BY_CURSOR)))
                .isEmpty();
        assertThat(mistakes).containsOnlyKeys(field);
        assertThat(mistakes.get(field)).contains(expected);
    }

    @Test
    void a_share_is_a_number_above_0_and_1_at_most() {
        for (Object fine : new Object[] {0.2, 1, 1L, BigInteger.ONE, new BigDecimal("0.000001")}) {
            assertThat(read(Map.of("maxDeletedShare", fine), Optional.of(BY_CURSOR)))
                    .as("%s", fine)
                    .isPresent();
        }
        for (Object wrong : new Object[] {0, -0.1, 1.0001, Double.NaN, true}) {
            assertThat(read(Map.of("maxDeletedShare", wrong), Optional.of(BY_CURSOR)))
                    .as("%s", wrong)
                    .isEmpty();
        }
    }

    @Test
    void null_is_the_default_again() {
        TableConfig changed = BY_CURSOR.toBuilder()
                .group("g")
                .deletes(new Deletes.Soft("gone"))
                .maxDeletedShare(0.5)
                .verify(Duration.ofHours(1))
                .settle(Duration.ZERO)
                .build();
        Map<String, @Nullable Object> fields = nullable("group", null, "deletes", null);
        fields.putAll(nullable("maxDeletedShare", null, "verify", null));
        fields.put("settle", null);

        assertThat(read(fields, Optional.of(changed))).contains(BY_CURSOR);
    }

    private static Map<String, @Nullable Object> nullable(String field, @Nullable Object value) {
        Map<String, @Nullable Object> fields = new HashMap<>();
        fields.put(field, value);
        return fields;
    }

    private static Map<String, @Nullable Object> nullable(
            String first, @Nullable Object value, String second, @Nullable Object other) {
        Map<String, @Nullable Object> fields = nullable(first, value);
        fields.put(second, other);
        return fields;
    }

    private Optional<TableConfig> read(Map<String, ? extends @Nullable Object> fields, Optional<TableConfig> before) {
        mistakes.clear();
        return TableSettings.read(fields, before, mistakes::put);
    }
}
