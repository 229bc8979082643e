package dev.perigee.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Who may read a copy of somebody's database.
@DisabledOnOs(OS.WINDOWS)
class PermissionsTest {
    @TempDir
    Path folder;

    @Test
    void what_is_new_is_its_owners_alone() throws IOException {
        Path data = folder.resolve("new").resolve("data");
        try (Store store = TestStores.open(data)) {
            store.write(TestStores.insert(1));
            store.backup(folder.resolve("backup.db"));
            assertThat(permissions(data)).isEqualTo("rwx------");
            assertThat(names(data)).contains("perigee.db", "perigee.db-wal", "perigee.db-shm", "perigee.lock");
            for (String name : names(data)) {
                assertThat(permissions(data.resolve(name))).as(name).isEqualTo("rw-------");
            }
            assertThat(permissions(folder.resolve("backup.db"))).isEqualTo("rw-------");
        }
    }

    @Test
    void what_was_there_keeps_the_permissions_somebody_gave_it() throws IOException {
        TestStores.open(folder).close();
        Path file = folder.resolve("perigee.db");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-x---"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        try (Store store = TestStores.open(folder)) {
            store.write(TestStores.insert(1));
            assertThat(permissions(file)).isEqualTo("rw-r-----");
            assertThat(permissions(folder.resolve("perigee.db-wal")))
                    .as("whoever may read the file needs its WAL")
                    .isEqualTo("rw-r-----");
            assertThat(permissions(folder)).isEqualTo("rwxr-x---");
        }
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).toList();
        }
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
