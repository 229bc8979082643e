package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.perigee.testing.TestPostgres;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// `perigee serve` in a process of its own, stopped as an operator stops it.
@DisabledOnOs(OS.WINDOWS)
class ServeCommandTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private Path dir;

    @Test
    void it_says_where_it_listens_and_a_signal_ends_it_with_exit_code_0() throws Exception {
        for (String signal : List.of("TERM", "INT")) {
            try (Child child = new Child(Map.of())) {
                assertThat(child.url()).matches("http://127\\.0\\.0\\.1:[0-9]+/");
                assertThat(child.cli().run("query", "SELECT 1 AS one", "--csv").out())
                        .isEqualTo("one\r\n1\r\n");
                assertThat(dir.resolve("data/perigee.db")).exists();

                child.signal(signal);

                assertThat(child.ended()).isZero();
                assertThat(child.rest())
                        .contains("Source       none: set EXTERNAL_DB_URL")
                        .endsWith("Stopped.\n");
            }
            assertThat(dir.resolve("data/perigee.db-wal"))
                    .as("the file is whole by itself")
                    .doesNotExist();
        }
    }

    @Test
    void stopped_in_the_middle_of_a_load_it_stands_at_a_cursor_and_goes_on() throws Exception {
        try (TestPostgres postgres = TestPostgres.create()) {
            postgres.execute("CREATE TABLE n (id int PRIMARY KEY, pad text);"
                    + "INSERT INTO n SELECT i, repeat('x', 200) FROM generate_series(1, 60000) i");
            Map<String, String> source = Map.of(
                    "EXTERNAL_DB_URL",
                    "postgres://postgres:postgres@127.0.0.1:%d/%s".formatted(postgres.port(), postgres.database()));
            long rows;
            try (Child child = new Child(source)) {
                // Small pages, so that the load is still under way.
                child.cli().run("tables", "add", "n", "--cursor", "id", "--page-rows", "50", "--interval", "1h");
                await().atMost(LIMIT)
                        .until(() ->
                                child.cli().run("status", "--json").out().contains("\"syncing\"") && child.count() > 0);
                child.signal("TERM");
                assertThat(child.ended()).isZero();
            }
            String file = dir.resolve("data/perigee.db").toString();
            Cli reading = new Cli(Map.of());
            String counted = reading.run("query", "--file", file, "SELECT count(*), max(id) FROM n", "--csv")
                    .out();
            rows = Long.parseLong(counted.split("\r\n")[1].split(",")[0]);
            assertThat(counted).as("a prefix in cursor order").endsWith("\r\n%d,%d\r\n".formatted(rows, rows));
            assertThat(rows).isBetween(1L, 59_999L);

            try (Child child = new Child(source)) {
                child.cli().run("tables", "sync", "n");
                await().atMost(LIMIT).until(() -> child.count() == 60_000);
            }
        }
    }

    @Test
    void what_keeps_it_from_starting_is_one_line_and_an_exit_code() throws Exception {
        Path config = Files.writeString(dir.resolve("perigee.yaml"), "serve: {prot: 1}");
        try (Child first = new Child(Map.of())) {
            assertThat(first.url()).isNotEmpty();
            try (Child second = new Child(Map.of())) {
                assertThat(second.ended()).isEqualTo(1);
                assertThat(second.errors())
                        .startsWith("perigee: REPLICA_LOCKED")
                        .contains(Long.toString(first.process.pid()))
                        .doesNotContain("\tat ");
            }
        }
        try (Child wrong = new Child(Map.of(), "--config", config.toString())) {
            assertThat(wrong.ended()).isEqualTo(2);
            assertThat(wrong.errors()).contains(config + ":1:9: serve.prot: there is no such setting; did you mean");
        }
    }

    private final class Child implements AutoCloseable {
        private final Process process;
        private final BufferedReader output;
        private final Path errors = dir.resolve("errors-%d.txt".formatted(System.nanoTime()));
        private String url = "";

        Child(Map<String, String> environment, String... more) throws IOException {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Xmx128m",
                    "-cp",
                    System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                    Main.class.getName(),
                    "serve",
                    "--port",
                    "0",
                    "--data",
                    dir.resolve("data").toString()));
            command.addAll(List.of(more));
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("EXTERNAL_DB_") || name.startsWith("PG"));
            builder.environment().put("ADMIN_AUTHORIZATION_TOKEN", "admin-token");
            builder.environment().putAll(environment);
            process = builder.start();
            output = process.inputReader(StandardCharsets.UTF_8);
        }

        /// The address it prints.
        String url() throws IOException {
            if (!url.isEmpty()) return url;
            String line = output.readLine();
            assertThat(line).as(errors()).startsWith("Listening on ");
            url = line.substring("Listening on ".length());
            return url;
        }

        Cli cli() throws IOException {
            return new Cli(Map.of("ADMIN_AUTHORIZATION_TOKEN", "admin-token", "PERIGEE_URL", url()));
        }

        /// Rows of `n`, 0 before it is there.
        long count() throws IOException {
            String[] lines =
                    cli().run("query", "SELECT count(*) FROM n", "--csv").out().split("\r\n");
            return lines.length < 2 ? 0 : Long.parseLong(lines[1]);
        }

        void signal(String signal) throws Exception {
            assertThat(new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                            .start()
                            .waitFor())
                    .isZero();
        }

        int ended() throws InterruptedException {
            assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
            return process.exitValue();
        }

        String rest() throws IOException {
            StringBuilder text = new StringBuilder();
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                text.append(line).append('\n');
            }
            return text.toString();
        }

        String errors() throws IOException {
            return Files.readString(errors);
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly().onExit().join();
            output.close();
        }
    }
}
