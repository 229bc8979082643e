package dev.perigee.cli;

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

/// `perigee status`: where each table stands.
@Command(
        name = "status",
        description = "Shows how a running server is, and where each of its tables stands.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  ADMIN_AUTHORIZATION_TOKEN=... perigee status",
            "  perigee status --url https://perigee.example.com --json",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:The server answers, and no table is failing.",
            "1:A table is failing, or the server does not answer or refuses the token.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class StatusCommand implements Callable<Integer> {
    private final Surroundings surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(names = "--json", description = "Answer with one JSON object, with the fields of GET /replication/status.")
    private boolean json;

    StatusCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (ServerClient client = server.client(surroundings.environment())) {
            JsonNode database = client.get("/status/database");
            JsonNode tables = client.get("/replication/status").path("tables");
            if (json) {
                Map<String, Object> answer = new LinkedHashMap<>();
                answer.put("database", database);
                answer.put("tables", tables);
                out.println(Json.MAPPER.writeValueAsString(answer));
            } else {
                print(database, tables, out);
            }
            boolean isFailing = tables.valueStream()
                    .anyMatch(table -> table.path("state").asString("").equals("failing"));
            return isFailing ? Exit.FAILED : Exit.OK;
        }
    }

    private static void print(JsonNode database, JsonNode tables, PrintWriter out) {
        JsonNode internal = database.path("internal");
        JsonNode external = database.path("external");
        out.printf(
                "replica %,d KB, SQLite %s; source %s%n",
                (internal.path("databaseBytes").asLong(0)
                                + internal.path("walBytes").asLong(0))
                        / 1024,
                internal.path("sqliteVersion").asString("?"),
                external.path("place").asString(external.path("status").asString("?")));
        if (tables.isEmpty()) {
            out.println("No table is replicated yet; `perigee tables add` adds one.");
            return;
        }
        out.println();
        TextTable text = new TextTable(List.of("table", "rows", "cursor", "lag", "state", "next sync"));
        List<String> errors = new ArrayList<>();
        Instant now = Instant.now();
        for (JsonNode table : tables) {
            String name = table.path("name").asString("");
            text.add(List.of(
                    name,
                    String.format(Locale.ROOT, "%,d", table.path("rowCount").asLong(0)),
                    table.path("cursor").asString("-"),
                    table.has("lag") ? time(table.path("lag").asLong(0)) : "-",
                    table.path("state").asString("?"),
                    table.has("nextSyncAt") ? due(table.path("nextSyncAt").asString(""), now) : "-"));
            if (table.path("sweep").has("error")) {
                errors.add(name + ": "
                        + table.path("sweep").path("error").path("message").asString(""));
            }
            if (table.has("lastError")) {
                errors.add(name + ": " + table.path("lastError").path("message").asString(""));
            }
        }
        text.print(out);
        if (!errors.isEmpty()) out.println();
        errors.forEach(out::println);
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
