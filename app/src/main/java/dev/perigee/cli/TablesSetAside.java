package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.plugin.Json;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `perigee tables set-aside`: lists the rows of a table that could not be stored, and tries them again.
@Command(
        name = "set-aside",
        description = "Lists rows of a table that could not be stored, and why; tries them again.",
        footerHeading = TablesCommand.EXAMPLES,
        footer = {"  perigee tables set-aside orders", "  perigee tables set-aside orders --retry"},
        exitCodeListHeading = TablesCommand.EXIT_CODES,
        exitCodeList = {
            Exit.OK_TEXT,
            "1:The server refused it, or does not answer.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class TablesSetAside implements Callable<Integer> {
    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--json", description = "Answer with one JSON object: the server's.")
    private boolean json;

    @Option(names = "--retry", description = "Try them all again first.")
    private boolean isRetried;

    @Parameters(arity = "1", paramLabel = "NAME", description = "The table.")
    private String name = "";

    TablesSetAside(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        String path = ServerClient.path("/replication/tables", name) + "/set-aside";
        try (ServerClient client = server.client(surroundings.environment())) {
            if (isRetried) client.result("POST", path + "/retry", Optional.empty());
            JsonNode result = client.get(path);
            if (json) out().println(Json.MAPPER.writeValueAsString(result));
            else print(result);
            return Exit.OK;
        }
    }

    private void print(JsonNode result) {
        if (result.path("rows").isEmpty()) {
            out().println(name + ": all rows are stored");
            return;
        }
        TextTable text = new TextTable(List.of("key", "fault", "tries", "first seen", "why"));
        for (JsonNode row : result.path("rows")) {
            text.add(List.of(
                    row.has("key") ? row.get("key").toString() : "-",
                    row.path("fault").asString(""),
                    String.format(Locale.ROOT, "%,d", row.path("tries").asLong(0)),
                    row.path("firstSeen").asString(""),
                    row.path("message").asString("")));
        }
        text.print(out());
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
