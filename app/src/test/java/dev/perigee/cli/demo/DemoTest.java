package dev.perigee.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.StoreConfig;
import dev.perigee.store.ChildJvm;
import dev.perigee.store.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// The whole demo, again and again in one folder: killed, ended by itself, made wrong on purpose, asked to stop.
class DemoTest {
    @TempDir
    Path dir;

    @Test
    void it_ends_with_a_comparison_recovers_from_a_kill_sees_each_planted_difference_and_stops_when_asked()
            throws Exception {
        try (ChildJvm killed = child()) {
            // The second word of a table's name in a plain line is its rows: the copy is being filled.
            String studio = killed.next("  Studio");
            assertThat(studio).contains("user demo, password ");
            try (HttpClient http = HttpClient.newHttpClient()) {
                URI address = URI.create(studio.strip().split("\\s+")[0]);
                assertThat(http.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString())
                                .statusCode())
                        .isEqualTo(200);
            }
            assertThat(killed.next("customers")).isNotNull();
            killed.kill();
        }
        assertThat(postgres()).as("a kill of the demo leaves its PostgreSQL").isPresent();

        Run recovered = run("--for", "2s", "--port", "0");
        assertThat(recovered.text()).contains("The copy equals the source.");
        for (Shop.Table table : Shop.TABLES) {
            assertThat(recovered.text()).containsPattern("(?m)^" + table.name() + " +([\\d,]+) +\\1 +0$");
        }
        assertThat(recovered.exitCode()).isZero();
        assertThat(postgres()).isEmpty();

        plantDifferences();
        Run wrong = run("--for", "1s", "--port", "0");
        assertThat(wrong.text())
                .contains("The copy differs from the source.")
                .containsPattern("(?m)^events +[\\d,]+ +[\\d,]+ +4$")
                .containsPattern("(?m)^customers +([\\d,]+) +\\1 +0$");
        assertThat(wrong.exitCode()).isEqualTo(1);

        try (ChildJvm stopped = child()) {
            assertThat(stopped.next("customers")).isNotNull();
            ProcessHandle.of(stopped.pid()).orElseThrow().destroy();
            assertThat(stopped.next("Stopping.")).isNull(); // read to its end
            assertThat(stopped.waitFor()).isZero();
        }
        assertThat(postgres()).isEmpty();
        assertThat(dir.resolve("postgres-data").resolve("postmaster.pid")).doesNotExist();
    }

    @Test
    void a_port_that_is_taken_is_named_and_nothing_is_started() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Run refused = run("--port", Integer.toString(other.getLocalPort()));
            assertThat(refused.exitCode()).isEqualTo(1);
            assertThat(refused.text()).contains("port " + other.getLocalPort()).contains("Nothing was started");
        }
        assertThat(dir.resolve("postgres-data")).doesNotExist();
    }

    @Test
    void arguments_that_are_wrong_are_refused() {
        assertThat(run("--for", "soon").text()).contains("`soon` is not a time such as 30s, 5m or 1h");
        Run port = run("--port", "70000");
        assertThat(port.text()).contains("--port is 70000, expected 0 to 65535");
        assertThat(port.exitCode()).isEqualTo(2);
    }

    private record Run(int exitCode, String text) {}

    /// In this process.
    private Run run(String... arguments) {
        StringWriter text = new StringWriter();
        PrintWriter out = new PrintWriter(text, true);
        CommandLine line = new CommandLine(new DemoCommand()).setOut(out).setErr(out);
        String[] all = new String[arguments.length + 2];
        all[0] = "--data";
        all[1] = dir.toString();
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        int code = line.execute(all);
        System.out.println(text);
        return new Run(code, text.toString());
    }

    private ChildJvm child() throws IOException {
        return new ChildJvm(dev.perigee.cli.Main.class, "demo", "--data", dir.toString(), "--port", "0");
    }

    /// Another value, a row less, and another key, which is a row less and a row more: four differences. Nobody changes
    /// events at the source.
    private void plantDifferences() {
        try (Store store = Store.open(StoreConfig.of(dir.resolve("replica")))) {
            store.write(tx -> {
                tx.connection().exec("UPDATE events SET kind = 'planted' WHERE id = 17");
                tx.connection().exec("DELETE FROM events WHERE id = 18");
                tx.connection().exec("UPDATE events SET id = -19 WHERE id = 19");
                return null;
            });
        }
    }

    private Optional<ProcessHandle> postgres() throws IOException {
        Path lockFile = dir.resolve("postgres-data").resolve("postmaster.pid");
        if (!Files.exists(lockFile)) return Optional.empty();
        long pid = Long.parseLong(Files.readAllLines(lockFile).getFirst().strip());
        return ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
    }
}
