package dev.perigee.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/// Prints the server's answers to `perigee tables` for people.
///
/// @param out where results go
/// @param errors where failures of single tables go
record TablesPrinter(PrintWriter out, PrintWriter errors) {
    /// The tables that are replicated, one per line.
    void tables(JsonNode tables) {
        TextTable text = new TextTable(List.of("table", "cursor", "schedule", "paused"));
        for (JsonNode table : tables) {
            text.add(List.of(
                    table.path("name").asString(""),
                    table.path("cursorColumn")
                            .asString("(%s)".formatted(table.path("mode").asString("-"))),
                    table.has("cron")
                            ? table.path("cron").asString("")
                            : "every %s ms%s"
                                    .formatted(
                                            table.path("intervalMs").asString("?"),
                                            table.has("idleInterval")
                                                    ? " to "
                                                            + table.path("idleInterval")
                                                                    .asString("")
                                                    : ""),
                    table.path("paused").asBoolean(false) ? "yes" : "no"));
        }
        text.print(out);
        for (JsonNode table : tables) {
            String why = table.path("pausedBecause").asString("");
            if (!why.isEmpty()) out.println(table.path("name").asString("") + ": " + why);
        }
    }

    /// What a sync, resync or recovery did to each table.
    void runs(JsonNode result) {
        for (JsonNode table : result.path("results")) {
            String name = table.path("table").asString("");
            out.println(String.format(
                    Locale.ROOT,
                    "%s: %,d new, %,d changed, %,d deleted, %,d the same in %,d ms%s",
                    name,
                    table.path("inserted").asLong(0),
                    table.path("updated").asLong(0),
                    table.path("deleted").asLong(0),
                    table.path("unchanged").asLong(0),
                    table.path("ms").asLong(0),
                    table.has("error") ? "; then it FAILED" : ""));
            if (table.has("error")) {
                errors.println("perigee: " + table.path("error").path("message").asString(""));
            }
        }
    }

    /// What a sweep did to one table.
    void sweep(JsonNode result) {
        String name = result.path("table").asString("");
        JsonNode sweep = result.path("sweep");
        boolean isFailed = sweep.has("error");
        out.println(String.format(
                Locale.ROOT,
                "%s: %,d rows compared, %,d deleted%s",
                name,
                sweep.path("compared").asLong(0),
                sweep.path("deleted").asLong(0),
                isFailed ? "; then it FAILED" : ""));
        if (isFailed) {
            errors.println("perigee: " + sweep.path("error").path("message").asString(""));
        }
    }
}
