package dev.perigee.store;

import static dev.perigee.store.TestStores.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
    private static final String CREATE = "CREATE TABLE tmp_a (k INTEGER); INSERT INTO tmp_a VALUES (1)";
    private static final String WIDEN = "ALTER TABLE tmp_a ADD COLUMN v TEXT; INSERT INTO tmp_a VALUES (2, 'two')";

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
    void tables_go_forward_step_by_step_and_each_step_runs_once() {
        store.migrate("a", List.of(CREATE));
        store.migrate("a", List.of(CREATE));
        assertThat(number(store, "SELECT count(*) FROM tmp_a")).isEqualTo(1);
        close();
        open();
        store.migrate("a", List.of(CREATE, WIDEN));
        assertThat(number(store, "SELECT count(*) FROM tmp_a")).isEqualTo(2);
        assertThat(number(store, "SELECT version FROM tmp_schema_versions WHERE room = 'a'"))
                .isEqualTo(2);
        assertThat(number(store, "SELECT applied_at GLOB '????-??-??T??:??:??.???Z' FROM tmp_schema_versions"))
                .isEqualTo(1);
    }

    @Test
    void a_replica_of_a_newer_version_is_refused_and_left_as_it_is() {
        store.migrate("a", List.of(CREATE, WIDEN));
        assertThatThrownBy(() -> store.migrate("a", List.of(CREATE)))
                .satisfies(e -> assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.REPLICA_TOO_NEW))
                .hasMessageContaining("room a have version 2")
                .hasMessageContaining("up to 1");
        assertThat(number(store, "SELECT count(*) FROM tmp_a")).isEqualTo(2);
    }

    @Test
    void a_step_that_fails_leaves_the_version_before_it_whole() {
        store.migrate("a", List.of(CREATE));
        assertThatThrownBy(() -> store.migrate("a", List.of(CREATE, WIDEN, "CREATE TABLE tmp_b (k); no SQL")))
                .satisfies(e -> assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.STATEMENT_INVALID));
        assertThat(number(store, "SELECT count(*) FROM tmp_a")).isEqualTo(1);
        assertThat(number(store, "SELECT version FROM tmp_schema_versions WHERE room = 'a'"))
                .isEqualTo(1);
        assertThat(number(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'tmp_b'"))
                .isZero();
    }
}
