package dev.perigee.replication.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.batch.Batch;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.replication.copy.CopyDefinition.Choices;
import dev.perigee.replication.copy.CopyDefinition.CopyColumn;
import dev.perigee.source.TableId;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import dev.perigee.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpsertTest {
    @TempDir
    Path folder;

    private Store store;

    @BeforeEach
    void open() {
        store = Store.open(StoreConfig.of(folder));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void new_changed_and_same_rows_are_told_apart_and_a_same_row_writes_nothing() {
        CopyDefinition definition = definition(List.of("id"), "id", "v");
        make(definition);
        assertThat(apply(definition, row(1, "a"), row(2, null), row(3, "c"))).isEqualTo(new RowCounts(3, 0, 0, 0));
        long before = totalChanges();
        assertThat(apply(definition, row(1, "a"), row(2, null))).isEqualTo(new RowCounts(0, 0, 0, 2));
        assertThat(totalChanges()).as("rows written for rows that are the same").isEqualTo(before);
        assertThat(apply(definition, row(1, null), row(2, "b"), row(3, "c"), row(4, "d")))
                .isEqualTo(new RowCounts(1, 2, 0, 1));
        assertThat(rows()).isEqualTo(Map.of("1", "null", "2", "b", "3", "c", "4", "d"));
    }

    /// In SQLite 1 and 1.0 and '1' are or are not the same by the column's affinity; a copy must not keep the old one.
    @Test
    void a_value_of_another_class_is_another_value() {
        CopyDefinition definition = definition(List.of("id"), "id", "v");
        make(definition);
        apply(definition, List.of(new Value.Int(1), new Value.Text("1")));
        assertThat(apply(definition, List.of(new Value.Int(1), new Value.Int(1))))
                .isEqualTo(new RowCounts(0, 1, 0, 0));
        assertThat(store.<String>read(Duration.ofSeconds(5), tx -> {
                    SqliteStatement type = tx.statement("SELECT typeof(v) FROM t");
                    type.step();
                    return type.textAt(0);
                }))
                .isEqualTo("integer");
    }

    @Test
    void a_table_that_is_all_key_has_nothing_to_update() {
        CopyDefinition definition = definition(List.of("id", "v"), "id", "v");
        make(definition);
        assertThat(apply(definition, row(1, "a"), row(1, "b"))).isEqualTo(new RowCounts(2, 0, 0, 0));
        assertThat(apply(definition, row(1, "a"))).isEqualTo(new RowCounts(0, 0, 0, 1));
    }

    @Test
    void a_load_refuses_a_key_that_does_not_identify_rows() {
        CopyDefinition definition = definition(List.of("id"), "id", "v");
        make(definition);
        assertThatThrownBy(() -> run(definition, true, List.of(row(1, "a"), row(1, "b"))))
                .isInstanceOfSatisfying(
                        PerigeeException.class, e -> assertThat(e.fault()).isEqualTo(Fault.KEY_MISSING));
        assertThat(rows()).isEmpty();
    }

    @Test
    void sixteen_hundred_columns_are_compared() {
        String[] names = IntStream.range(0, 1600).mapToObj(i -> "c" + i).toArray(String[]::new);
        CopyDefinition definition = definition(List.of("c0"), names);
        make(definition);
        List<Value> row = new ArrayList<>(
                IntStream.range(0, 1600).mapToObj(i -> (Value) new Value.Int(i)).toList());
        assertThat(apply(definition, row)).isEqualTo(new RowCounts(1, 0, 0, 0));
        assertThat(apply(definition, row)).isEqualTo(new RowCounts(0, 0, 0, 1));
        row.set(1599, Value.Null.NULL);
        assertThat(apply(definition, row)).isEqualTo(new RowCounts(0, 1, 0, 0));
    }

    /// Against a map that knows nothing of SQL.
    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void random_pages_leave_what_a_map_would(long seed) {
        Random random = new Random(seed);
        CopyDefinition definition = definition(List.of("id"), "id", "v");
        make(definition);
        Map<String, String> model = new HashMap<>();
        for (int page = 0; page < 30; page++) {
            long inserted = 0;
            long updated = 0;
            List<List<Value>> rows = new ArrayList<>();
            for (int i = 0; i < 1 + random.nextInt(40); i++) {
                int id = random.nextInt(60);
                String v = random.nextInt(4) == 0 ? null : "v" + random.nextInt(5);
                rows.add(row(id, v));
                String before = model.put(Integer.toString(id), String.valueOf(v));
                if (before == null) inserted++;
                else if (!before.equals(String.valueOf(v))) updated++;
            }
            RowCounts counts = run(definition, false, rows);
            assertThat(counts).isEqualTo(new RowCounts(inserted, updated, 0, rows.size() - inserted - updated));
        }
        assertThat(rows()).isEqualTo(model);
    }

    private RowCounts apply(CopyDefinition definition, List<?>... rows) {
        return run(definition, false, Stream.of(rows).map(UpsertTest::values).toList());
    }

    private static List<Value> values(List<?> row) {
        return row.stream().map(Value.class::cast).toList();
    }

    private RowCounts run(CopyDefinition definition, boolean isLoad, List<List<Value>> rows) {
        Upsert upsert = new Upsert(definition, "t");
        try (Batch batch = new Batch(definition.columns().size(), 1000, 1 << 20)) {
            for (List<Value> row : rows) {
                row.forEach(batch::put);
                batch.endRow();
            }
            return store.write(tx -> isLoad ? upsert.load(tx, batch) : upsert.apply(tx, batch));
        }
    }

    private void make(CopyDefinition definition) {
        store.write(tx -> {
            CopyTable.create(tx, definition, "t");
            return null;
        });
    }

    private long totalChanges() {
        return store.write(tx -> tx.connection().totalChanges());
    }

    private Map<String, String> rows() {
        return store.read(Duration.ofSeconds(5), tx -> {
            Map<String, String> rows = new HashMap<>();
            SqliteStatement select = tx.statement("SELECT id, v FROM t");
            while (select.step()) rows.put(String.valueOf(select.textAt(0)), String.valueOf(select.textAt(1)));
            return rows;
        });
    }

    private static List<Value> row(long id, String v) {
        return List.of(new Value.Int(id), v == null ? Value.Null.NULL : new Value.Text(v));
    }

    private static CopyDefinition definition(List<String> key, String... names) {
        List<CopyColumn> columns = new ArrayList<>();
        for (int i = 0; i < names.length; i++)
            columns.add(new CopyColumn(names[i], i + 1, "any", "", key.contains(names[i]), Optional.empty()));
        return new CopyDefinition(
                new TableId("public", "t"),
                "t",
                columns,
                key,
                Optional.of(key.getFirst()),
                new Choices(List.of(), List.of(), List.of(), NumericStorage.EXACT, TimestampStorage.ISO));
    }
}
