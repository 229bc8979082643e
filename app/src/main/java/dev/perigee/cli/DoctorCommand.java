package dev.perigee.cli;

import dev.perigee.Perigee;
import dev.perigee.cli.args.Exit;
import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.replication.SourceView;
import dev.perigee.replication.TableChooser;
import dev.perigee.replication.TableChooser.Choice;
import dev.perigee.replication.TableOutlook;
import dev.perigee.replication.state.Problem;
import dev.perigee.source.Source;
import dev.perigee.source.SourceReport;
import dev.perigee.source.SourceTable;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `perigee doctor`: says how a source's tables can be copied, before anything is copied.
@Command(
        name = "doctor",
        sortOptions = false,
        description = {
            "Says how each table in a PostgreSQL can be copied, what the copy would guarantee,",
            "what prevents a stronger guarantee, and which statement would change that.",
            "Nothing is copied, no row is read, and nothing is changed at the source.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  perigee doctor postgres://me@db/shop",
            "  perigee doctor postgres://me@db/shop --table orders,sales.items",
            "  perigee doctor postgres://me@db/shop --schema sales --json",
            "  EXTERNAL_DB_URL=postgres://me@db/shop perigee doctor",
            "",
            "A password that is not in the URL is taken from EXTERNAL_DB_PASS or PGPASSWORD.",
            "docs/sources/postgresql.md has the grants for PostgreSQL and for services that run it.",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Every copy would be correct.",
            "1:Some copy would be wrong or cannot be made, or the source does not answer.",
            "2:The arguments are wrong; nothing was asked.",
            Exit.LAUNCHER_TEXT
        })
final class DoctorCommand implements Callable<Integer> {
    private static final GivenSource SOURCE =
            new GivenSource("URL", "perigee doctor postgres://user@host/database", "Nothing was asked");

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(arity = "0..1", paramLabel = "URL", description = GivenSource.DESCRIPTION)
    private @Nullable String from;

    @Option(
            names = "--table",
            split = ",",
            paramLabel = "NAME",
            description = "Only this table, `table` or `schema.table`. May be repeated. Default: all it may read.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--schema", split = ",", paramLabel = "NAME", description = "Only tables of this schema.")
    private List<String> schemas = new ArrayList<>();

    @Option(names = "--json", description = "Answer with one JSON object on standard output.")
    private boolean json;

    /// @param trouble by name, why a table that was asked for cannot be examined
    private record Findings(SourceReport report, List<TableOutlook> tables, Map<String, Problem> trouble) {
        boolean isNothing() {
            return tables.isEmpty() && trouble.isEmpty();
        }

        boolean isRight() {
            return trouble.isEmpty() && tables.stream().noneMatch(TableOutlook::isWrong);
        }
    }

    DoctorCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        SourceConfig config = SOURCE.config(from, surroundings.environment());
        try (Source source = Perigee.source(config)) {
            Findings findings = look(source, config);
            PrintWriter out = spec.commandLine().getOut();
            if (json)
                out.println(Json.MAPPER.writeValueAsString(
                        DoctorReport.plain(view(findings), findings.tables(), findings.trouble())));
            else new DoctorReport(out).print(findings.report(), findings.tables(), findings.trouble());
            out.flush();
            if (findings.isNothing()) throw nothing(config, findings.report());
            return findings.isRight() ? Exit.OK : Exit.FAILED;
        }
    }

    private Findings look(Source source, SourceConfig config) {
        SourceReport report = source.probe();
        Map<String, Problem> trouble = new LinkedHashMap<>();
        List<SourceTable> tables = new ArrayList<>();
        if (names.isEmpty()) tables.addAll(source.discover());
        for (String name : names) {
            try {
                tables.add(source.describe(name));
            } catch (PerigeeException e) {
                if (e.fault() != Fault.SOURCE_PERMISSION && e.fault() != Fault.SOURCE_TABLE_MISSING) throw e;
                trouble.put(name, Problem.of(e));
            }
        }
        List<Choice> choices = TableChooser.choose(tables, config.defaultSchema()).stream()
                .filter(choice -> schemas.isEmpty()
                        || schemas.contains(choice.table().id().schema()))
                .toList();
        return new Findings(report, TableOutlook.of(source, choices, report), trouble);
    }

    private PerigeeException nothing(SourceConfig config, SourceReport report) {
        String where = schemas.isEmpty() ? "" : " in schema " + String.join(" or ", schemas);
        return Fault.NOT_FOUND.in(
                config.place(),
                "there is no table%s that %s may read"
                        .formatted(where, report.server().user()),
                "No table was examined",
                "grant SELECT on the tables as shown above, or name another database or schema");
    }

    private SourceView view(Findings findings) {
        return SourceView.of(findings.report(), Instant.now());
    }
}
