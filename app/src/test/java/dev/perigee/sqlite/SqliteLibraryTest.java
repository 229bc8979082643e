package dev.perigee.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The look-up, in JVMs of its own since it happens once in each.
class SqliteLibraryTest {
    /// What the other JVM runs: opens a database and says what it used, twice.
    static final class Probe {
        private Probe() {}

        public static void main(String[] args) {
            for (int i = 0; i < 2; i++) {
                try (SqliteConnection connection = SqliteConnection.openInMemory();
                        SqliteStatement statement = connection.prepare("SELECT sqlite_version()")) {
                    statement.step();
                    System.out.println(
                            statement.textAt(0) + " " + SqliteLibrary.version() + " " + SqliteLibrary.origin());
                } catch (RuntimeException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }

    @Test
    void the_bundled_library_is_found_and_is_new_enough_for_everything() throws Exception {
        assertThat(SqliteLibrary.origin()).startsWith("natives/");
        assertThat(probe(List.of())).hasSize(2).allMatch(line -> line.matches("(3\\.\\d+\\.\\d+) \\1 natives/.*"));
    }

    /// Else a process that is killed while it starts leaves the file.
    @Test
    @EnabledOnOs(OS.LINUX)
    void the_bundled_library_is_written_to_no_folder(@TempDir Path dir) throws Exception {
        String noFolder = Files.createFile(dir.resolve("a-file")).toString();
        assertThat(probe(List.of("-Djava.io.tmpdir=" + noFolder, "-Duser.home=" + noFolder)))
                .filteredOn(line -> line.startsWith("3.")) // The JVM warns of its folder.
                .hasSize(2)
                .allMatch(line -> line.contains(" natives/"));
    }

    @Test
    void a_library_that_cannot_be_loaded_is_named_each_time_and_nothing_else_is_tried() throws Exception {
        assertThat(probe("/no/such/libsqlite3.so"))
                .hasSize(2)
                .allMatch(line -> line.startsWith("SQLITE_LIBRARY_MISSING") && line.contains("/no/such/libsqlite3.so"));
    }

    @Test
    void a_library_that_is_not_sqlite_is_refused() throws Exception {
        String libjava = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("java"))
                .toString();
        assertThat(probe(libjava)).allMatch(line -> line.contains("exports no sqlite3_ functions"));
    }

    private static List<String> probe(String library) throws IOException, InterruptedException {
        return probe(List.of("-D" + SqliteLibrary.SETTING + "=" + library));
    }

    private static List<String> probe(List<String> settings) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-XX:TieredStopAtLevel=1");
        command.addAll(settings);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.lines().toList();
    }
}
