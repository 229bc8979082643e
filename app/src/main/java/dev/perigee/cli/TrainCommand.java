package dev.perigee.cli;

import dev.perigee.Perigee;
import dev.perigee.cli.args.Exit;
import dev.perigee.cli.args.GivenPath;
import dev.perigee.cli.demo.DemoDatabase;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PerigeeConfigReader;
import dev.perigee.config.PerigeeConfigReader.Overrides;
import dev.perigee.config.SourceConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `perigee train`: the work from which the JVM makes its AOT caches. The launcher runs it after a build, with
/// `-XX:AOTCacheOutput`; users never do.
///
/// With a folder it does Perigee's main job: it loads the demo's tables, and serves them to callers. Without one it
/// does what the short commands do: a smaller cache, which takes less time to map.
@Command(name = "train", hidden = true, description = "Does some work from which the JVM learns.")
final class TrainCommand implements Callable<Integer> {
    private static final String ADMIN = "admin-token-of-the-training";
    private static final String CLIENT = "client-token-of-the-training";
    private static final int ROUNDS = 40;

    private final ProcessContext surroundings;

    @Option(names = "--data", paramLabel = "DIR", converter = GivenPath.class, description = "A folder to work in.")
    private @Nullable Path data;

    TrainCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws Exception {
        if (data == null) runShortCommands();
        else doMainJob(data);
        return Exit.OK;
    }

    private void runShortCommands() {
        run(new VersionCommand());
        run(new StatusCommand(surroundings), "--url", "http://127.0.0.1:1", "--token", "none");
    }

    private void doMainJob(Path folder) throws IOException, InterruptedException {
        try (DemoDatabase database = DemoDatabase.start(folder)) {
            load(folder, database);
            serve(folder, database);
        }
    }

    private void load(Path folder, DemoDatabase database) {
        run(
                new SyncCommand(surroundings),
                "--from",
                url(database.source()),
                "--all",
                "--to",
                folder.resolve("copy.db").toString());
    }

    private static void serve(Path folder, DemoDatabase database) throws IOException, InterruptedException {
        try (Perigee perigee = Perigee.open(settings(folder, database));
                HttpClient http = HttpClient.newHttpClient()) {
            perigee.replication().orElseThrow().syncAllTables().join();
            URI server = URI.create("http://127.0.0.1:" + perigee.port());
            for (int i = 0; i < ROUNDS; i++) {
                ask(http, server, CLIENT, "/query", "{\"sql\": \"SELECT * FROM orders WHERE id = %d\"}".formatted(i));
                ask(http, server, ADMIN, "/query", "{\"sql\": \"SELECT count(*) FROM sqlite_schema\"}");
                ask(http, server, CLIENT, "/rest/orders/" + i, "");
                if (i % 10 != 0) continue;
                ask(http, server, CLIENT, "/query", "{\"sql\": \"SELECT * FROM events LIMIT 1000\"}");
                ask(http, server, ADMIN, "/replication/status", "");
                ask(http, server, ADMIN, "/status", "");
                ask(http, server, ADMIN, "/metrics", "");
                ask(http, server, ADMIN, "/", "");
                perigee.replication().orElseThrow().syncAllTables().join();
            }
        }
    }

    private static PerigeeConfig settings(Path folder, DemoDatabase database) throws IOException {
        String tables = database.tables().stream()
                .map(table ->
                        "    - {name: %s, mode: xmin, interval: 1s, deletes: sweep(1m)}\n".formatted(table.name()))
                .collect(Collectors.joining());
        Path file = folder.resolve("perigee.yaml");
        Files.writeString(file, "query:\n  readLimit: 1m\nreplication:\n  tables:\n" + tables);
        return PerigeeConfigReader.read(
                Optional.of(file),
                new Overrides(Optional.of(folder.resolve("replica")), Optional.empty(), OptionalInt.of(0)),
                Map.of(
                        "ADMIN_AUTHORIZATION_TOKEN", ADMIN,
                        "CLIENT_AUTHORIZATION_TOKEN", CLIENT,
                        "EXTERNAL_DB_URL", url(database.source())));
    }

    private static String url(SourceConfig source) {
        return "postgres://%s:%s@%s:%d/%s"
                .formatted(source.user(), source.password(), source.host(), source.port(), source.database());
    }

    private static void ask(HttpClient http, URI server, String token, String path, String body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(server.resolve(path)).header("Authorization", "Bearer " + token);
        if (!body.isEmpty()) request.header("Content-Type", "application/json").POST(BodyPublishers.ofString(body));
        http.send(request.build(), BodyHandlers.discarding());
    }

    private static void run(Object command, String... arguments) {
        new CommandLine(command).execute(arguments);
    }
}
