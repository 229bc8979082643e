package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.plugin.Json;
import dev.perigee.replication.sync.Progress;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `perigee tables backfill`: fetches rows of a table again, while readers continue to read.
@Command(
        name = "backfill",
        sortOptions = false,
        description = "Fetches rows of a table again, all or some, and deletes those the source does not have.",
        footerHeading = TablesCommand.EXAMPLES,
        footer = {
            "  perigee tables backfill orders",
            "  perigee tables backfill orders --key 17",
            "  perigee tables backfill sales.items --from 1000,1 --to 1999,9",
            "  perigee tables backfill orders --confirm",
        },
        exitCodeListHeading = TablesCommand.EXIT_CODES,
        exitCodeList = {
            Exit.OK_TEXT,
            "1:The server refused it, or does not answer; the backfill failed, or asks for --confirm.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class TablesBackfill implements Callable<Integer> {
    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--json", description = "Answer with one JSON object: the server's.")
    private boolean json;

    @Option(names = "--key", split = ",", paramLabel = "K", description = "One row: the values of its key.")
    private @Nullable List<String> key;

    @Option(names = "--from", split = ",", paramLabel = "K", description = "Rows from this key on, itself included.")
    private @Nullable List<String> from;

    @Option(names = "--to", split = ",", paramLabel = "K", description = "Rows up to this key, itself included.")
    private @Nullable List<String> to;

    @Option(names = "--confirm", description = "Let a backfill that waits delete as many rows as it says.")
    private boolean isConfirmed;

    @Option(names = "--cancel", description = "End the backfill under way; what it did stays.")
    private boolean isCancelled;

    @Option(names = "--no-wait", description = "Do not wait until it ends.")
    private boolean isNotAwaited;

    @Parameters(arity = "1", paramLabel = "NAME", description = "The table.")
    private String name = "";

    TablesBackfill(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        Map<String, Object> body = new LinkedHashMap<>();
        if (key != null) body.put("key", key);
        if (from != null) body.put("from", from);
        if (to != null) body.put("to", to);
        if (isConfirmed) body.put("confirm", true);
        boolean isMixed = key != null && (from != null || to != null)
                || isCancelled && !body.isEmpty()
                || isConfirmed && body.size() > 1;
        if (isMixed) {
            throw new ParameterException(
                    spec.commandLine(), "--key, --from with --to, --confirm and --cancel exclude one another");
        }
        String path = ServerClient.path("/replication/tables", name) + "/backfill";
        try (ServerClient client = server.client(surroundings.environment())) {
            JsonNode result = isCancelled
                    ? client.result("DELETE", path, Optional.empty())
                    : isNotAwaited
                            ? client.result("POST", path + "?wait=false", Optional.of(body))
                            : ran(client, path, body);
            if (json) out().println(Json.MAPPER.writeValueAsString(result));
            else print(result.path("backfill"));
            return result.path("success").asBoolean(false) ? Exit.OK : Exit.FAILED;
        }
    }

    /// Waits until the backfill ends, and shows its progress if a person is at the terminal.
    private JsonNode ran(ServerClient client, String path, Map<String, Object> body) {
        if (!surroundings.isTerminal()) return client.ran(path, Optional.of(body));
        try (ProgressLine line = new ProgressLine(spec.commandLine().getErr(), true)) {
            return client.ran(path, Optional.of(body), now -> {
                JsonNode progress = now.path("backfill").path("progress");
                if (progress.isObject()) line.progress(name, Json.MAPPER.treeToValue(progress, Progress.class));
            });
        }
    }

    private void print(JsonNode backfill) {
        out().println(String.format(
                Locale.ROOT,
                "%s: %s; %,d new, %,d changed, %,d deleted, %,d the same",
                name,
                backfill.path("state").asString("running"),
                backfill.path("inserted").asLong(0),
                backfill.path("updated").asLong(0),
                backfill.path("deleted").asLong(0),
                backfill.path("unchanged").asLong(0)));
        if (backfill.has("error")) {
            spec.commandLine()
                    .getErr()
                    .println(
                            "perigee: " + backfill.path("error").path("message").asString(""));
        }
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
