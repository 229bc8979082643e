package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.plugin.Json;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `perigee status`: shows the state of a server and of each of its tables.
@Command(
        name = "status",
        description = "Shows the state of a running server and of each of its tables.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  ADMIN_AUTHORIZATION_TOKEN=... perigee status",
            "  perigee status --url https://perigee.example.com --json",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The server answers, and no table is failing or needs attention.",
            "1:A table or the replica needs attention, or the server does not answer or refuses the token.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class StatusCommand implements Callable<Integer> {
    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--json", description = "Answer with one JSON object, with the fields of GET /replication/status.")
    private boolean json;

    StatusCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (ServerClient client = server.client(surroundings.environment())) {
            JsonNode database = client.get("/status/database");
            JsonNode status = client.get("/replication/status");
            JsonNode tables = status.path("tables");
            JsonNode source = status.path("source");
            if (json) {
                Map<String, Object> answer = new LinkedHashMap<>();
                answer.put("database", database);
                answer.put("tables", tables);
                if (!source.isMissingNode()) answer.put("source", source);
                out.println(Json.MAPPER.writeValueAsString(answer));
            } else {
                print(database, source, tables, out);
            }
            boolean isRight = !database.path("internal").has("error")
                    && tables.valueStream().noneMatch(StatusCommand::needsSomebody);
            return isRight ? Exit.OK : Exit.FAILED;
        }
    }

    private static boolean needsSomebody(JsonNode table) {
        // A table that failed has the state `syncing` while it is tried again, but still counts as failing.
        boolean isFailing =
                table.has("lastError") && !table.path("state").asString("").equals("paused");
        return isFailing || !table.path("attention").isEmpty();
    }

    private static void print(JsonNode database, JsonNode source, JsonNode tables, PrintWriter out) {
        JsonNode internal = database.path("internal");
        JsonNode external = database.path("external");
        out.printf(
                "replica %,d KB, SQLite %s; source %s%n",
                (internal.path("databaseBytes").asLong(0)
                                + internal.path("walBytes").asLong(0))
                        / 1024,
                internal.path("sqliteVersion").asString("?"),
                external.path("place").asString(external.path("status").asString("?")));
        if (internal.has("error")) {
            out.println("The replica cannot be written: "
                    + internal.path("error").path("message").asString(""));
        }
        if (!source.isMissingNode()) {
            out.println("%s Since %s it holds up %s."
                    .formatted(
                            source.path("message").asString(""),
                            source.path("since").asString(""),
                            String.join(", ", heldUp(source))));
        }
        if (tables.isEmpty()) {
            out.println("No table is replicated yet; `perigee tables add` adds one.");
            return;
        }
        out.println();
        TextTable text = new TextTable(List.of("table", "rows", "cursor", "lag", "guarantee", "state", "next sync"));
        List<String> below = new ArrayList<>();
        Instant now = Instant.now();
        for (JsonNode table : tables) {
            String name = table.path("name").asString("");
            text.add(List.of(
                    name,
                    String.format(Locale.ROOT, "%,d", table.path("rowCount").asLong(0)),
                    table.path("cursor").asString("-"),
                    table.has("lag") ? time(table.path("lag").asLong(0)) : "-",
                    table.path("guarantee").asString("-"),
                    table.path("state").asString("?"),
                    table.has("nextSyncAt") ? due(table.path("nextSyncAt").asString(""), now) : "-"));
            about(table, isToldOf(table, source)).forEach(line -> below.add(name + ": " + line));
        }
        text.print(out);
        if (!below.isEmpty()) out.println();
        below.forEach(out::println);
    }

    private static List<String> heldUp(JsonNode source) {
        return source.path("tables")
                .valueStream()
                .map(name -> name.asString(""))
                .toList();
    }

    /// Whether the table's error is the one that was shown for the source.
    private static boolean isToldOf(JsonNode table, JsonNode source) {
        return heldUp(source).contains(table.path("name").asString(""))
                && source.path("fault").equals(table.path("lastError").path("fault"));
    }

    /// Further lines about a table, errors first.
    ///
    /// @param isToldOf whether its error was already shown as the source's
    private static List<String> about(JsonNode table, boolean isToldOf) {
        List<String> lines = new ArrayList<>();
        if (table.has("lastError") && !isToldOf) {
            lines.add(table.path("lastError").path("message").asString(""));
        }
        for (JsonNode one : table.path("attention")) {
            String message = one.path("message").asString("");
            lines.add(
                    message.contains("To fix:")
                            ? message
                            : "%s. To fix: %s."
                                    .formatted(message, one.path("remedy").asString("")));
        }
        JsonNode held = table.path("heldBy");
        if (!held.isMissingNode()) {
            lines.add("rows since %s may still come late: %s has had a transaction open for %s"
                    .formatted(
                            held.path("since").asString(""),
                            held.path("who").asString(""),
                            time(held.path("ageMs").asLong(0))));
        }
        for (JsonNode note : table.path("notes")) lines.add("note: " + note.asString(""));
        return lines;
    }

    private static String due(String instant, Instant now) {
        Duration left = Duration.between(now, Instant.parse(instant));
        return left.isNegative() ? "now" : "in " + time(left.toMillis());
    }

    private static String time(long millis) {
        if (millis < 10_000) return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
        long seconds = millis / 1000;
        if (seconds < 120) return seconds + " s";
        return seconds < 7200 ? seconds / 60 + " min" : seconds / 3600 + " h";
    }
}
