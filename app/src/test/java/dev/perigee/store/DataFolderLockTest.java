package dev.perigee.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.StoreConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderLockTest {
    @TempDir
    Path folder;

    @Test
    void a_second_process_is_told_who_has_the_folder_and_gets_it_when_that_dies() throws Exception {
        try (ChildJvm child = new ChildJvm(HoldFolder.class, folder.toString())) {
            assertThat(child.next("OPEN")).endsWith("perigee.db");
            assertThatThrownBy(() -> Store.open(StoreConfig.of(folder)))
                    .isInstanceOf(PerigeeException.class)
                    .hasMessageStartingWith("REPLICA_LOCKED")
                    .hasMessageContaining("process " + child.pid() + " on host ")
                    .hasMessageContaining(" since 2");
            child.kill();
            assertThat(Files.readString(folder.resolve("perigee.lock"))).contains("process " + child.pid());
            Store.open(StoreConfig.of(folder)).close();
            assertThat(Files.readString(folder.resolve("perigee.lock"))).isEmpty();
        }
    }

    @Test
    void a_second_store_in_this_process_is_refused_and_does_not_break_the_first_ones_lock() throws Exception {
        try (Store store = Store.open(StoreConfig.of(folder))) {
            assertThatThrownBy(() -> Store.open(StoreConfig.of(folder.resolve("."))))
                    .satisfies(e -> {
                        assertThat(((PerigeeException) e).fault()).isEqualTo(Fault.REPLICA_LOCKED);
                        assertThat(e).hasMessageContaining("this same process");
                    });
            // Had the second one opened and closed the lock file, the system's lock would be gone, and a child got in.
            try (ChildJvm child = new ChildJvm(HoldFolder.class, folder.toString())) {
                assertThat(child.next("OPEN")).isNull();
                assertThat(child.waitFor()).isNotZero();
            }
            assertThat(store.integrityCheck(TestStores.LONG)).isEmpty();
        }
    }

    @Test
    void opening_waits_for_the_holder_as_long_as_it_is_told_to() throws Exception {
        Store first = Store.open(StoreConfig.of(folder));
        StoreConfig patient =
                new StoreConfig(folder, StoreConfig.FILE_NAME, 2, 8, 1 << 28, 1 << 24, 1 << 22, Duration.ofSeconds(30));
        Thread closer = Thread.ofPlatform().start(() -> {
            try {
                Thread.sleep(200);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            first.close();
        });
        try (Store second = Store.open(patient)) {
            assertThat(closer.join(Duration.ofMinutes(1))).isTrue();
            assertThat(second.integrityCheck(TestStores.LONG)).isEmpty();
        }
    }
}
