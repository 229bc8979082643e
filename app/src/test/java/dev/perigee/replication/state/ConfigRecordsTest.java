package dev.perigee.replication.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.Deletes;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.config.TableConfig.DroppedColumns;
import dev.perigee.config.TableConfig.Mode;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.RowSecurity;
import dev.perigee.config.TableConfig.StampedBy;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.plugin.Json;
import dev.perigee.replication.copy.CopyDefinition;
import dev.perigee.replication.copy.CopyDefinition.Choices;
import dev.perigee.replication.state.ConfiguredTable.Origin;
import dev.perigee.source.TableId;
import dev.perigee.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigRecordsTest {
    private static final TableConfig PLAIN = TableConfig.of("a", "c", Duration.ofSeconds(5));

    @TempDir
    private Path folder;

    @Test
    void what_is_put_is_found_again() {
        TableConfig rich = TableConfig.of("b", Mode.XMIN, Duration.ofSeconds(5)).toBuilder()
                .group("g")
                .idleInterval(Duration.ofMinutes(5))
                .deletes(new Deletes.Sweep(Duration.ofMinutes(10)))
                .maxDeletedShare(0.123456789)
                .verify(Duration.ofHours(24))
                .settle(Duration.ZERO)
                .stampedBy(StampedBy.CLIENT)
                .droppedColumns(DroppedColumns.DROP)
                .rowSecurity(RowSecurity.FILTERED)
                .where(Optional.of("a > 1"))
                .masks(Map.of("a", "md5(a)"))
                .build();
        List<ConfiguredTable> tables =
                List.of(new ConfiguredTable(PLAIN, Origin.FILE), new ConfiguredTable(rich, Origin.REST));
        try (Store store = Store.open(StoreConfig.of(folder))) {
            store.migrate(ReplicationTables.ROOM, ReplicationTables.VERSIONS);

            List<ConfiguredTable> found = store.write(tx -> {
                tables.forEach(table -> ConfigRecords.put(tx, table));
                return ConfigRecords.all(tx);
            });

            assertThat(found).isEqualTo(tables);
        }
    }

    @Test
    void tables_of_the_first_version_have_the_defaults() {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            store.migrate(ReplicationTables.ROOM, ReplicationTables.VERSIONS.subList(0, 1));
            store.write(tx -> {
                tx.statement("""
                        INSERT INTO tmp_replication_config VALUES ('a', 'file', 'c', 5000, NULL, NULL, '[]', '[]', '[]',
                            NULL, 1000, 'include', 0, 'exact', 'iso', 0)""").run();
                return true;
            });
            store.migrate(ReplicationTables.ROOM, ReplicationTables.VERSIONS);

            List<ConfiguredTable> found = store.write(ConfigRecords::all);

            assertThat(found).containsExactly(new ConfiguredTable(PLAIN, Origin.FILE));
        }
    }

    @Test
    void a_copy_made_with_a_cursor_or_without_one_is_remembered_as_such() {
        for (Optional<String> cursor : List.of(Optional.of("c"), Optional.<String>empty())) {
            CopyDefinition made = new CopyDefinition(
                    new TableId("public", "t"),
                    "t",
                    List.of(),
                    List.of("id"),
                    cursor,
                    new Choices(List.of(), List.of(), List.of(), NumericStorage.EXACT, TimestampStorage.ISO));

            String json = Json.MAPPER.writeValueAsString(made);

            CopyDefinition read = Json.MAPPER.readValue(json, CopyDefinition.class);
            assertThat(read).isEqualTo(made);
            assertThat(read.isChosenDifferently(made)).isFalse();
        }
    }
}
