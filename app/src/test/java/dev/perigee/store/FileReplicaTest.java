package dev.perigee.store;

import static dev.perigee.store.TestStores.count;
import static dev.perigee.store.TestStores.insert;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.perigee.config.StoreConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A replica that is a file with a name of its own, as `perigee sync --to shop.db` makes.
class FileReplicaTest {
    @TempDir
    Path folder;

    @Test
    void two_replicas_in_one_folder_are_open_at_once_and_each_has_one_owner() {
        StoreConfig shop = StoreConfig.ofFile(folder.resolve("shop.db"));
        StoreConfig stock = StoreConfig.ofFile(folder.resolve("stock.db"));
        try (Store first = TestStores.open(shop);
                Store second = TestStores.open(stock)) {
            first.write(insert(1));
            assertThat(count(first)).isEqualTo(1);
            assertThat(count(second)).isZero();
            assertThatThrownBy(() -> Store.open(shop))
                    .hasMessageStartingWith("REPLICA_LOCKED in replica " + folder.resolve("shop.db") + ":");
        }
        assertThat(folder.resolve("shop.db")).isRegularFile();
        assertThat(Files.exists(folder.resolve("perigee.db"))).isFalse();
    }

    @Test
    void the_file_of_a_data_folder_has_the_lock_of_the_folder() {
        try (Store served = TestStores.open(folder)) {
            assertThat(served.file()).isEqualTo(folder.resolve("perigee.db"));
            assertThatThrownBy(() -> Store.open(StoreConfig.ofFile(folder.resolve("perigee.db"))))
                    .hasMessageStartingWith("REPLICA_LOCKED in data folder " + folder + ":");
        }
    }
}
