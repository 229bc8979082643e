package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.config.Units;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `perigee wait`: waits until copies are as fresh as a script needs them.
@Command(
        name = "wait",
        sortOptions = false,
        description = {
            "Waits until copies have seen a write, or are no older than a given time.",
            "They are synced for it, so this does not wait for their next regular sync.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  perigee wait --after \"$TOKEN\" --table orders",
            "  perigee wait --max-staleness 0s --timeout 5m",
            "",
            "A transaction's token: SELECT 'x:' || (SELECT system_identifier FROM pg_control_system()) || ':' || pg_current_xact_id()",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The copies are fresh enough.",
            "1:The server refused it, or does not answer.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT,
            Exit.STALE_TEXT
        })
final class WaitCommand implements Callable<Integer> {
    /// Shorter than the longest wait for an answer of the server.
    private static final Duration MAX_TIMEOUT = Duration.ofMinutes(9);

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--json", description = "Answer with one JSON object: the server's.")
    private boolean json;

    @Option(
            names = "--after",
            paramLabel = "TOKEN",
            description = "The copies must have seen this write; several with commas between them.")
    private @Nullable String after;

    @Option(
            names = "--max-staleness",
            paramLabel = "DURATION",
            description = "They must be no older than this, such as 2s.")
    private @Nullable String maxStaleness;

    @Option(
            names = "--table",
            paramLabel = "NAME",
            description = "Wait for this table; may be given more than once. Default: all that are not paused.")
    private @Nullable List<String> tables;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            description = "Wait at most this long, up to 9m. Default: 30s.")
    private @Nullable String timeout;

    WaitCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        if (after == null && maxStaleness == null) {
            throw new ParameterException(spec.commandLine(), "give --after, --max-staleness or both");
        }
        boolean isInRange = timeout == null
                || Units.duration(timeout)
                        .filter(given -> given.compareTo(MAX_TIMEOUT) <= 0)
                        .isPresent();
        if (!isInRange) {
            throw new ParameterException(
                    spec.commandLine(), "--timeout: expected a duration of at most 9m, such as 30s");
        }
        Map<String, Object> body = new LinkedHashMap<>();
        if (after != null) body.put("after", after);
        if (maxStaleness != null) body.put("maxStaleness", maxStaleness);
        if (tables != null) body.put("tables", tables);
        if (timeout != null) body.put("timeout", timeout);
        try (ServerClient client = server.client(surroundings.environment())) {
            JsonNode result = client.result("POST", "/replication/wait", Optional.of(body));
            if (json) out().println(Json.MAPPER.writeValueAsString(result));
            else result.path("tables").forEach(this::print);
            return Exit.OK;
        } catch (PerigeeException e) {
            if (e.fault() != Fault.BUSY) throw e;
            spec.commandLine().getErr().println("perigee: " + e.getMessage());
            return Exit.STALE;
        }
    }

    private void print(JsonNode table) {
        out().println("%s: as of %s, %s"
                .formatted(
                        table.path("table").asString(""),
                        table.path("asOf").asString("an unknown time"),
                        table.path("guarantee").asString("")));
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
