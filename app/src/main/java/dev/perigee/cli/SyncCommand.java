package dev.perigee.cli;

import dev.perigee.Perigee;
import dev.perigee.cli.args.Exit;
import dev.perigee.cli.args.GivenPath;
import dev.perigee.config.SourceConfig;
import dev.perigee.config.StoreConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.Fault;
import dev.perigee.plugin.Json;
import dev.perigee.replication.TableChooser;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.replication.sync.SyncResult;
import dev.perigee.replication.sync.TableSync;
import dev.perigee.source.Source;
import dev.perigee.store.Store;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `perigee sync`: copies tables into a SQLite file, once and without a server.
@Command(
        name = "sync",
        sortOptions = false,
        description = {
            "Copies tables of a PostgreSQL database into a SQLite file, once and without a server.",
            "Run again, it continues where it stopped. Without --table it lists what it can copy, and why.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  perigee sync --from postgres://me@db/shop --table orders --cursor updated_at --to shop.db",
            "  perigee sync --from postgres://me@db/shop --to shop.db           lists tables, then asks",
            "  perigee sync --from postgres://me@db/shop --to shop.db --all     copies all it can",
            "  perigee sync --to shop.db --table orders --table sales.items --cursor at --key order,line",
            "  perigee sync --to shop.db --table prices --mode full",
            "  perigee sync --to shop.db --table orders --resync           after the source was restored",
            "",
            "A password that is not in the URL is taken from EXTERNAL_DB_PASS or PGPASSWORD.",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Every table is copied up to what the source had.",
            "1:A table or the source failed; the other tables are copied, and a second run continues.",
            "2:The arguments are wrong, or nothing was chosen; nothing was copied.",
            Exit.LAUNCHER_TEXT
        })
final class SyncCommand implements Callable<Integer> {
    private static final GivenSource SOURCE = new GivenSource(
            "--from", "perigee sync --from postgres://user@host/database --to FILE", "Nothing was copied");

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--from", paramLabel = "URL", description = GivenSource.DESCRIPTION)
    private @Nullable String from;

    @Option(
            names = "--to",
            paramLabel = "FILE",
            converter = GivenPath.class,
            required = true,
            description = "The SQLite file; created if it is missing.")
    private Path to = Path.of("");

    @ArgGroup(exclusive = false, multiplicity = "0..*")
    private List<TableOption> tables = new ArrayList<>();

    @Option(
            names = {"--all", "--yes"},
            description = "Without --table: copy every table that can be copied, without asking.")
    private boolean isAll;

    @Option(
            names = "--resync",
            description = {
                "Fetch the tables again from the beginning, as after the source was restored or replaced.",
                "The file has the old rows until all new ones are there.",
            })
    private boolean isResync;

    @Option(names = "--json", description = "Answer with one JSON object on standard output.")
    private boolean json;

    SyncCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        SourceConfig config = SOURCE.config(from, surroundings.environment());
        try (Source source = Perigee.source(config)) {
            List<Choice> choices = tables.isEmpty()
                    ? TableChooser.choose(source.discover(), config.defaultSchema())
                    : tables.stream()
                            .map(table -> table.choice(source, config.defaultSchema()))
                            .toList();
            List<TableConfig> wanted =
                    choices.stream().flatMap(choice -> choice.config().stream()).toList();
            if (tables.isEmpty()) {
                TableOffer offer = new TableOffer(choices, config.place());
                if (!json || !isAll) offer.print(json, out());
                if (wanted.isEmpty()) {
                    throw choices.isEmpty()
                            ? Fault.NOT_FOUND.in(
                                    config.place(),
                                    "there is no table that %s may read".formatted(config.user()),
                                    "Nothing was copied",
                                    "grant SELECT on the tables, or name another database with --from")
                            : Fault.NOT_FOUND.in(
                                    config.place(),
                                    "none of its %d tables can be copied as it is".formatted(choices.size()),
                                    "Nothing was copied",
                                    "see above what prevents each from being copied");
                }
                if (!isAll) {
                    if (json || !surroundings.isTerminal()) {
                        err().println("perigee: nothing was copied; choose with --table, or copy all with --all");
                        return Exit.USAGE;
                    }
                    if (!offer.isAccepted(surroundings.in(), out(), wanted.size(), to)) return Exit.OK;
                }
            }
            return copy(source, wanted);
        }
    }

    private int copy(Source source, List<TableConfig> wanted) {
        List<SyncResult> results = new ArrayList<>();
        Set<String> told = new HashSet<>();
        List<String> setAside = new ArrayList<>();
        try (Store store = Store.open(StoreConfig.ofFile(to));
                ProgressLine progress = new ProgressLine(err(), surroundings.isTerminal())) {
            TableSync sync = new TableSync(store, source);
            for (TableConfig table : wanted) {
                SyncResult result = advised(isResync ? sync.runAgain(table, progress) : sync.run(table, progress));
                results.add(result);
                progress.clear();
                if (!json) say(result, table);
                // An error of the source itself is printed once, not for each table.
                result.error()
                        .filter(problem -> !problem.concernsSource() || told.add(problem.fault()))
                        .ifPresent(problem -> err().println("perigee: " + problem.message()));
                sync.setAside(table.name()).ifPresent(setAside::add);
            }
        }
        setAside.forEach(text -> err().println("perigee: " + text));
        boolean isDone = setAside.isEmpty() && results.stream().allMatch(SyncResult::succeeded);
        if (json) {
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("success", isDone);
            answer.put("to", to.toString());
            answer.put("results", results);
            if (!setAside.isEmpty()) answer.put("setAside", setAside);
            out().println(Json.MAPPER.writeValueAsString(answer));
        }
        return isDone ? Exit.OK : Exit.FAILED;
    }

    /// Replaces the remedies for a server's table with those for this command.
    private SyncResult advised(SyncResult result) {
        return result.advising(
                Set.of(Fault.SOURCE_BEHIND_CURSOR, Fault.SOURCE_REPLACED),
                "make sure that it is the source you want, then run this command again with --resync, which fetches the table from the beginning");
    }

    private void say(SyncResult result, TableConfig table) {
        out().println(String.format(
                Locale.ROOT,
                "%s %s: %,d rows in %.1f s (%,.0f rows/s): %,d new, %,d changed, %,d deleted, %,d the same%s",
                result.table(),
                TableOffer.how(table),
                result.pulled(),
                result.ms() / 1000.0,
                result.pulled() * 1000.0 / Math.max(1, result.ms()),
                result.inserted(),
                result.updated(),
                result.deleted(),
                result.unchanged(),
                result.succeeded() ? "" : "; then it FAILED"));
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }
}
