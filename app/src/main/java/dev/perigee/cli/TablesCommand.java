package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.plugin.Json;
import dev.perigee.replication.sync.Progress;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `perigee tables`: which tables a running server replicates.
@Command(
        name = "tables",
        description = "Lists and changes the tables that a running server replicates.",
        synopsisSubcommandLabel = "[COMMAND]",
        footerHeading = TablesCommand.EXAMPLES,
        footer = {
            "  perigee tables",
            "  perigee tables add orders --cursor updated_at --interval 5s",
            "  perigee tables add sales.items --cursor id --key order_id,line --pause",
            "  perigee tables set orders --interval 1m",
            "  perigee tables pause orders",
            "  perigee tables sync orders",
            "  perigee tables ping",
            "  perigee tables sweep orders",
            "  perigee tables recover orders",
            "  perigee tables resync orders",
            "  perigee tables backfill orders --from 1000 --to 1999",
            "  perigee tables set-aside orders --retry",
            "  perigee tables remove orders --drop",
            "",
            "The token is in ADMIN_AUTHORIZATION_TOKEN.",
        },
        exitCodeListHeading = TablesCommand.EXIT_CODES,
        exitCodeList = {
            Exit.OK_TEXT,
            "1:The server refused it, or does not answer; with sync, sweep, recover or resync: a table failed.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class TablesCommand implements Callable<Integer> {
    static final String EXAMPLES = "%nExamples:%n";
    static final String EXIT_CODES = "%nExit codes:%n";
    private static final String REFUSED = "1:The server refused it, or does not answer.";
    private static final String TABLES = "/replication/tables";

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private Common common = new Common();

    /// Options of every subcommand.
    private static final class Common {
        @Mixin
        private ServerOptions server = new ServerOptions();

        @Option(names = "--json", description = "Answer with one JSON object: the server's.")
        private boolean json;
    }

    TablesCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        return list(common);
    }

    @Command(
            name = "list",
            description = "Lists the tables with their cursors and schedules.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables list",
                "  perigee tables list --json",
                "  perigee tables list --url http://db.example.com:8787",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int list(@Mixin Common common) {
        return with(common, client -> {
            JsonNode result = client.get(TABLES);
            if (!shown(common, result)) printer().tables(result.path("tables"));
            return Exit.OK;
        });
    }

    @Command(
            name = "remove",
            description = "Ends the replication of tables. Their rows stay.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables remove orders",
                "  perigee tables remove orders sales.items --drop",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int remove(
            @Mixin Common common,
            @Parameters(arity = "1..*", paramLabel = "NAME", description = "The tables.") List<String> names,
            @Option(names = "--drop", description = "Drop the copies too.") boolean isDropped) {
        return each(
                common,
                names,
                "removed",
                (client, name) -> client.result(
                        "DELETE", ServerClient.path(TABLES, name) + (isDropped ? "?drop=true" : ""), Optional.empty()));
    }

    @Command(
            name = "pause",
            description = "Stops the schedule of tables. Their rows and cursors stay.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables pause orders",
                "  perigee tables pause orders sales.items",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int pause(
            @Mixin Common common,
            @Parameters(arity = "1..*", paramLabel = "NAME", description = "The tables.") List<String> names) {
        return each(common, names, "paused", (client, name) -> paused(client, name, true));
    }

    @Command(
            name = "resume",
            description = "Starts the schedule of tables again.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables resume orders",
                "  perigee tables resume orders sales.items",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int resume(
            @Mixin Common common,
            @Parameters(arity = "1..*", paramLabel = "NAME", description = "The tables.") List<String> names) {
        return each(common, names, "resumed", (client, name) -> paused(client, name, false));
    }

    @Command(
            name = "sync",
            description = "Syncs tables now and waits. Without names: all that are not paused.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables sync",
                "  perigee tables sync orders sales.items",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {
                Exit.OK_TEXT,
                "1:A table failed, or the server refused it or does not answer.",
                Exit.USAGE_TEXT,
                Exit.LAUNCHER_TEXT
            })
    int sync(
            @Mixin Common common,
            @Parameters(arity = "0..*", paramLabel = "NAME", description = "The tables.") @Nullable
                    List<String> names) {
        return with(common, client -> {
            Map<String, Object> body = names == null || names.isEmpty() ? Map.of() : Map.of("tables", names);
            JsonNode result = ran(client, "/replication/sync", Optional.of(body));
            if (!shown(common, result)) printer().runs(result);
            return result.path("success").asBoolean(false) ? Exit.OK : Exit.FAILED;
        });
    }

    @Command(
            name = "ping",
            description =
                    "Has tables looked at now, without waiting. Without names: all that are not paused. For the program that writes to the source.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables ping",
                "  perigee tables ping orders sales.items",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int ping(
            @Mixin Common common,
            @Parameters(arity = "0..*", paramLabel = "NAME", description = "The tables.") @Nullable
                    List<String> names) {
        return with(common, client -> {
            Map<String, Object> body = names == null || names.isEmpty() ? Map.of() : Map.of("tables", names);
            JsonNode result = client.result("POST", "/replication/ping", Optional.of(body));
            if (!shown(common, result)) spec.commandLine().getOut().println("pinged");
            return Exit.OK;
        });
    }

    @Command(
            name = "sweep",
            description = "Removes rows that the source no longer has from copies, now, and waits.",
            footerHeading = EXAMPLES,
            footer = {"  perigee tables sweep orders", "  perigee tables sweep orders --confirm"},
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {
                Exit.OK_TEXT,
                "1:The server refused it, or does not answer; a sweep failed, or asks for --confirm.",
                Exit.USAGE_TEXT,
                Exit.LAUNCHER_TEXT
            })
    int sweep(
            @Mixin Common common,
            @Parameters(arity = "1..*", paramLabel = "NAME", description = "The tables.") List<String> names,
            @Option(names = "--confirm", description = "Remove the rows that the last sweep asked about.")
                    boolean isConfirmed) {
        Optional<Object> body = Optional.of(isConfirmed ? Map.of("confirm", true) : Map.of());
        return runEach(common, names, "/sweep", body, result -> printer().sweep(result));
    }

    @Command(
            name = "recover",
            description = {
                "Brings copies in line with a source that was restored or replaced, and waits.",
                "Removes the rows that the source lost; if very much differs, fetches the table again.",
            },
            footerHeading = EXAMPLES,
            footer = {"  perigee tables recover orders", "  perigee tables recover orders sales.items"},
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {
                Exit.OK_TEXT,
                "1:The server refused it, or does not answer; a table failed.",
                Exit.USAGE_TEXT,
                Exit.LAUNCHER_TEXT
            })
    int recover(
            @Mixin Common common,
            @Parameters(arity = "1..*", paramLabel = "NAME", description = "The tables.") List<String> names) {
        return runEach(
                common, names, "/recover", Optional.empty(), result -> printer().runs(result));
    }

    @Command(
            name = "resync",
            description = {
                "Fetches tables again from the beginning, and waits.",
                "Readers have the old copies until the new ones are complete.",
            },
            footerHeading = EXAMPLES,
            footer = {"  perigee tables resync orders", "  perigee tables resync orders sales.items"},
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {
                Exit.OK_TEXT,
                "1:The server refused it, or does not answer; a table failed.",
                Exit.USAGE_TEXT,
                Exit.LAUNCHER_TEXT
            })
    int resync(
            @Mixin Common common,
            @Parameters(arity = "1..*", paramLabel = "NAME", description = "The tables.") List<String> names) {
        return runEach(
                common, names, "/resync", Optional.empty(), result -> printer().runs(result));
    }

    /// Starts a run for one table after another, and waits for each.
    private int runEach(
            Common common, List<String> names, String how, Optional<Object> body, Consumer<JsonNode> print) {
        return with(common, client -> {
            List<JsonNode> results = new ArrayList<>();
            for (String name : names) {
                JsonNode result = ran(client, ServerClient.path(TABLES, name) + how, body);
                results.add(result);
                if (!common.json) print.accept(result);
            }
            if (common.json) out().println(Json.MAPPER.writeValueAsString(Map.of("results", results)));
            boolean isGood = results.stream().allMatch(r -> r.path("success").asBoolean(false));
            return isGood ? Exit.OK : Exit.FAILED;
        });
    }

    /// Waits until a run has ended, and shows its progress if a person is at the terminal.
    private JsonNode ran(ServerClient client, String path, Optional<Object> body) {
        if (!surroundings.isTerminal()) return client.ran(path, body);
        try (ProgressLine line = new ProgressLine(spec.commandLine().getErr(), true)) {
            return client.ran(
                    path,
                    body,
                    now -> now.path("progress")
                            .forEachEntry((table, progress) ->
                                    line.progress(table, Json.MAPPER.treeToValue(progress, Progress.class))));
        }
    }

    @Command(
            name = "add",
            sortOptions = false,
            description = {
                "Adds a table.",
                "Its mode is cursor, which needs --cursor, unless --mode says otherwise.",
                "If it is replicated already, changes the settings that are named, as `perigee tables set` does.",
            },
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables add orders --cursor updated_at --interval 5s",
                "  perigee tables add sales.items --cursor id --key order_id,line --pause",
                "  perigee tables add orders --cursor updated_at --adopt",
                "  perigee tables add '\"Order Log\"' --cursor at --cron '0 3 * * *' --time-zone Europe/Zurich",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int add(
            @Mixin Common common,
            @Parameters(paramLabel = "NAME", description = "At the source: table or schema.table.") String name,
            @Mixin TableFieldOptions options,
            @Option(names = "--pause", description = "Add it without starting its schedule.") boolean isPaused,
            @Option(
                            names = "--adopt",
                            description =
                                    "If the replica has a table of the copy's name, such as a copy whose replication was ended: take it, and replace its rows with the source's.")
                    boolean isAdopting) {
        return with(common, client -> {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("name", name);
            fields.putAll(options.fields());
            if (isPaused) fields.put("paused", true);
            JsonNode result = client.result("POST", TABLES + (isAdopting ? "?adopt=true" : ""), Optional.of(fields));
            if (!shown(common, result)) out().println(name + ": added");
            return Exit.OK;
        });
    }

    @Command(
            name = "set",
            sortOptions = false,
            description = "Changes settings of a table. Settings that are not named stay as they are.",
            footerHeading = EXAMPLES,
            footer = {
                "  perigee tables set orders --interval 1m",
                "  perigee tables set orders --deletes 'sweep(10m)' --verify-every 24h",
                "  perigee tables set orders --unset verify-every,group",
            },
            exitCodeListHeading = EXIT_CODES,
            exitCodeList = {Exit.OK_TEXT, REFUSED, Exit.USAGE_TEXT, Exit.LAUNCHER_TEXT})
    int set(
            @Mixin Common common,
            @Parameters(paramLabel = "NAME", description = "The table.") String name,
            @Mixin TableFieldOptions options,
            @Option(
                            names = "--unset",
                            split = ",",
                            paramLabel = "OPTION",
                            description = "Options to reset, as if they had never been named; without their dashes.")
                    @Nullable
                    List<String> unset) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>(options.fields());
        for (String option : unset == null ? List.<String>of() : unset) {
            String field = TableFieldOptions.UNSET.get(option);
            if (field == null || fields.containsKey(field)) {
                throw usage(
                        field == null
                                ? "--unset: \"%s\" is not one of %s"
                                        .formatted(option, String.join(", ", TableFieldOptions.UNSET.keySet()))
                                : "--%1$s and --unset %1$s exclude one another".formatted(option));
            }
            fields.put(field, null);
        }
        if (fields.isEmpty()) throw usage("nothing to change: name at least one setting");
        return with(common, client -> {
            JsonNode result = client.result("PATCH", ServerClient.path(TABLES, name), Optional.of(fields));
            if (!shown(common, result)) {
                out().println(name + ": changed");
                if (result.path("origin").asString("").equals("file")) {
                    spec.commandLine()
                            .getErr()
                            .println(
                                    "perigee: the configuration file names this table, and its settings apply again at the next start");
                }
            }
            return Exit.OK;
        });
    }

    private ParameterException usage(String mistake) {
        CommandLine set = spec.subcommands().getOrDefault("set", spec.commandLine());
        return new ParameterException(set, mistake);
    }

    private interface Work {
        int with(ServerClient client);
    }

    private interface One {
        JsonNode with(ServerClient client, String name);
    }

    private int with(Common common, Work work) {
        try (ServerClient client = common.server.client(surroundings.environment())) {
            return work.with(client);
        }
    }

    /// Does `work` for one table after another. Stops at the first table that the server refuses; the tables before it
    /// stay done.
    private int each(Common common, List<String> names, String done, One work) {
        return with(common, client -> {
            List<JsonNode> results = new ArrayList<>();
            for (String name : names) {
                JsonNode result = work.with(client, name);
                results.add(result);
                if (common.json) continue;
                out().println(name + ": " + done);
                String note = result.path("note").asString("");
                if (!note.isEmpty()) spec.commandLine().getErr().println("perigee: " + name + ": " + note);
            }
            if (common.json) out().println(Json.MAPPER.writeValueAsString(Map.of("results", results)));
            return Exit.OK;
        });
    }

    private static JsonNode paused(ServerClient client, String name, boolean isPaused) {
        return client.result("PATCH", ServerClient.path(TABLES, name), Optional.of(Map.of("paused", isPaused)));
    }

    private boolean shown(Common common, JsonNode result) {
        if (common.json) out().println(Json.MAPPER.writeValueAsString(result));
        return common.json;
    }

    private TablesPrinter printer() {
        return new TablesPrinter(out(), spec.commandLine().getErr());
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
