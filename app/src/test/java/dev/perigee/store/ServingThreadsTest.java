package dev.perigee.store;

import static dev.perigee.store.TestStores.LONG;
import static dev.perigee.store.TestStores.number;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.perigee.config.StoreConfig;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Work can close the connection it was given, as a plugin's may: then its thread cannot go on.
class ServingThreadsTest {
    @TempDir
    private Path folder;

    @Test
    void a_reader_that_ends_is_counted_and_another_reads_in_its_place() {
        try (Store store = TestStores.open(folder)) {
            int readers = StoreConfig.of(folder).readers();
            for (int i = 0; i < 2 * readers; i++) {
                store.read(LONG, tx -> {
                    tx.connection().close();
                    return null;
                });
            }
            for (int i = 0; i < 2 * readers; i++)
                assertThat(number(store, "SELECT 7")).isEqualTo(7);
            await().until(() -> store.threads().endCounts().get("reader") == 2L * readers);
            await().until(() -> store.threads().down().isEmpty());
        }
    }

    @Test
    void a_connection_for_short_reads_that_is_closed_is_replaced_and_the_watchdog_lives() throws Exception {
        try (Store store = TestStores.open(folder)) {
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> store.tryReadHere(LONG, tx -> {
                            tx.connection().close();
                            throw new IllegalStateException("after that");
                        }))
                        .isInstanceOf(IllegalStateException.class);
                assertThat(store.tryReadHere(LONG, tx -> number(tx, "SELECT 7")))
                        .contains(7L);
            }
            assertThat(store.threads().endCounts()).doesNotContainKey("watchdog");
        }
    }

    @Test
    void a_writer_that_ends_is_said_to_end_the_server() throws Exception {
        try (Store store = TestStores.open(folder)) {
            assertThatThrownBy(() -> store.write(tx -> {
                        tx.connection().close();
                        return null;
                    }))
                    .isInstanceOf(RuntimeException.class);
            assertThat(store.threads().vitalEnd().get(60, TimeUnit.SECONDS)).contains("writer");
            assertThat(store.threads().down()).containsExactly("writer");
            assertThatThrownBy(() -> store.write(tx -> 1)).hasMessageStartingWith("CLOSED");
        }
    }
}
