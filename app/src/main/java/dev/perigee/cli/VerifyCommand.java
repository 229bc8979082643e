package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.replication.state.Problem;
import dev.perigee.replication.sync.Progress;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// `perigee verify`: compares copies with their source, row by row.
@Command(
        name = "verify",
        sortOptions = false,
        description = {
            "Compares the copies of a running server with their tables at the source, row by row,",
            "and with --repair repairs what differs. Syncs continue meanwhile.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  perigee verify",
            "  perigee verify --table orders --repair",
            "",
            "The token is in ADMIN_AUTHORIZATION_TOKEN.",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Every copy equals its source, or was repaired to do so.",
            "1:A difference is left, a verification did not finish, or the server refused it.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class VerifyCommand implements Callable<Integer> {
    private static final String TABLES = "/replication/tables";

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(
            names = "--table",
            paramLabel = "NAME",
            description = "A replicated table; may be repeated. Default: all whose mode is not full, one by one.")
    private List<String> tables = new ArrayList<>();

    @Option(names = "--repair", description = "Bring rows that differ in line with the source.")
    private boolean isRepair;

    @Option(
            names = "--confirm",
            description = "With --repair: also remove more rows than the table's maxDeletedShare allows.")
    private boolean isConfirmed;

    @Option(names = "--json", description = "Answer with one JSON object, with the fields of GET /replication/proof.")
    private boolean json;

    private static final Set<Fault> ONE_TABLES = Set.of(Fault.BUSY, Fault.CONFLICT, Fault.INVALID_REQUEST);

    VerifyCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        List<JsonNode> proofs = new ArrayList<>();
        try (ServerClient client = server.client(surroundings.environment());
                ProgressLine progress = new ProgressLine(err(), surroundings.isTerminal())) {
            List<String> wanted = tables.isEmpty() ? all(client) : tables;
            for (String table : wanted) {
                try {
                    proofs.add(verified(client, table, progress));
                    progress.clear();
                    if (!json) say(proofs.getLast());
                } catch (PerigeeException e) {
                    // This failure concerns only this table; the others are still verified.
                    if (!ONE_TABLES.contains(e.fault())) throw e;
                    proofs.add(refused(table, e));
                    progress.clear();
                    err().println("perigee: " + e.getMessage());
                }
            }
        }
        boolean isGood = proofs.stream().allMatch(VerifyCommand::isGood);
        if (json) {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("success", isGood);
            answer.put("tables", proofs);
            out().println(Json.MAPPER.writeValueAsString(answer));
        }
        return isGood ? Exit.OK : Exit.FAILED;
    }

    /// The tables that can be verified. Those in mode `full` are left out: every sync fetches all their rows again.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#NOT_FOUND] if there are none, because then nothing is proved
    private static List<String> all(ServerClient client) {
        JsonNode replicated = client.get(TABLES).path("tables");
        List<String> verified = replicated
                .valueStream()
                .filter(table -> !table.path("mode").asString("").equals("full"))
                .map(table -> table.path("name").asString(""))
                .toList();
        if (!verified.isEmpty()) return verified;
        throw replicated.isEmpty()
                ? Fault.NOT_FOUND.in(
                        "the server",
                        "no table is replicated",
                        "Nothing was verified",
                        "add one with `perigee tables add`")
                : Fault.NOT_FOUND.in(
                        "the server",
                        "all %d tables are in mode full, in which each sync fetches every row again"
                                .formatted(replicated.size()),
                        "Nothing was verified",
                        "sync them with `perigee tables sync`, which leaves nothing to compare");
    }

    private JsonNode verified(ServerClient client, String table, ProgressLine progress) {
        String path = ServerClient.path(TABLES, table) + "/verify";
        Optional<Object> body = Optional.of(Map.of("repair", isRepair, "confirm", isConfirmed));
        JsonNode answer = surroundings.isTerminal()
                ? client.ran(path, body, now -> {
                    if (now.has("progress")) {
                        progress.progress(table, Json.MAPPER.treeToValue(now.get("progress"), Progress.class));
                    }
                })
                : client.ran(path, body);
        return answer.path("proof");
    }

    private static JsonNode refused(String table, PerigeeException e) {
        Map<String, Object> refused = new LinkedHashMap<>();
        refused.put("table", table);
        refused.put("error", Problem.of(e));
        return Json.MAPPER.valueToTree(refused);
    }

    private static boolean isGood(JsonNode proof) {
        String verdict = proof.path("verdict").asString("");
        return verdict.equals("equal") || verdict.equals("repaired");
    }

    private void say(JsonNode proof) {
        double seconds = proof.path("ms").asLong(0) / 1000.0;
        long rows = proof.path("rows").asLong(0);
        out().println(String.format(
                Locale.ROOT,
                "%s: %s, %,d rows in %.1f s (%,.0f rows/s): %,d missing, %,d different, %,d extra, %,d repaired",
                proof.path("table").asString(""),
                proof.path("verdict").asString("?"),
                rows,
                seconds,
                rows / Math.max(0.001, seconds),
                proof.path("missing").asLong(0),
                proof.path("different").asLong(0),
                proof.path("extra").asLong(0),
                proof.path("repaired").asLong(0)));
        if (proof.has("error")) {
            err().println("perigee: " + proof.path("error").path("message").asString(""));
        }
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
