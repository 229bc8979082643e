package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.cli.args.GivenPath;
import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JacksonException;

/// `perigee query`: runs a statement on a server or on a file, and prints its rows.
@Command(
        name = "query",
        sortOptions = false,
        description = {
            "Runs one SQL statement on a running server, or reads a replica's file without one.",
            "Rows are shown as they come, so an answer may be of any size.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  perigee query 'SELECT count(*) FROM orders'",
            "  perigee query 'SELECT * FROM orders WHERE total > ? AND note = ?' 100 'a b' --csv > orders.csv",
            "  perigee query --file data/perigee.db 'SELECT max(updated_at) FROM orders' --json",
            "  perigee query --source external 'SELECT version()'",
            "  perigee query --max-staleness 2s 'SELECT count(*) FROM orders'",
            "  perigee query - < report.sql",
            "",
            "A server's token is in ADMIN_AUTHORIZATION_TOKEN or CLIENT_AUTHORIZATION_TOKEN.",
            "A parameter that is a whole or a decimal number is sent as a number, any other as text.",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All rows were shown.",
            "1:The statement failed, or the server does not answer; not all rows were shown.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class QueryCommand implements Callable<Integer> {
    private static final int MAX_SQL_BYTES = 1_000_000;

    /// How the rows are shown: as a table for people unless one of these options is given.
    private static final class Format {
        @Option(names = "--json", description = "One JSON array, with an object for each row.")
        private boolean json;

        @Option(names = "--csv", description = "CSV as in RFC 4180, with a header.")
        private boolean csv;
    }

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Option(
            names = "--file",
            paramLabel = "FILE",
            converter = GivenPath.class,
            description = "Read this SQLite file instead of asking a server; nothing can be written.")
    private @Nullable Path file;

    @Option(
            names = "--source",
            paramLabel = "WHERE",
            description = "Where the server runs it: internal (the replica) or external. Default: internal.")
    private @Nullable String source;

    @Mixin
    private FreshnessOptions freshness = new FreshnessOptions();

    @ArgGroup
    private Format format = new Format();

    @Parameters(index = "0", paramLabel = "SQL", description = "The statement; - reads it from standard input.")
    private String sql = "";

    @Parameters(index = "1..*", paramLabel = "PARAMETER", description = "Values for the ? of the statement, in order.")
    private List<String> parameters = new ArrayList<>();

    QueryCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        String statement = sql.equals("-") ? standardInput() : sql;
        List<Value> values = parameters.stream().map(QueryCommand::value).toList();
        // Buffered, because a flush for each line would take most of the time of a large answer.
        PrintWriter out = new PrintWriter(new BufferedWriter(spec.commandLine().getOut()));
        RowPrinter printer = new ClosedPipe(
                out,
                spec.commandLine().getOut(),
                format.json ? new JsonPrinter(out) : format.csv ? new CsvPrinter(out) : new TablePrinter(out));
        try {
            if (file == null) ask(statement, values, printer);
            else read(file, statement, values, printer);
        } finally {
            out.flush();
        }
        return Exit.OK;
    }

    private void ask(String statement, List<Value> values, RowPrinter printer) throws IOException {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("sql", statement);
        if (!values.isEmpty())
            body.put("params", values.stream().map(QueryCommand::plain).toList());
        Map<String, String> headers = freshness.headers();
        if (source != null) headers.put("X-Starbase-Source", source);
        try (ServerClient client = server.client(surroundings.environment());
                InputStream in = client.open("POST", "/query/raw", Optional.of(body), headers)) {
            try {
                RawAnswer.print(in, printer);
            } catch (JacksonException e) {
                throw client.brokenOff(e);
            }
        }
    }

    private static void read(Path file, String statement, List<Value> values, RowPrinter printer) {
        if (!Files.isRegularFile(file)) {
            throw Fault.NOT_FOUND.in(
                    "--file",
                    "there is no file " + file,
                    "Nothing was read",
                    "name a file that exists; a server's replica is perigee.db in its data folder");
        }
        try (SqliteConnection connection = SqliteConnection.open(file, EnumSet.of(SqliteConnection.OpenFlag.READONLY));
                SqliteStatement prepared = connection.prepare(statement)) {
            if (!prepared.tail().isBlank()) {
                throw Fault.STATEMENT_INVALID.in(
                        "--file", "there is more than one statement", "Nothing was run", "run them one by one");
            }
            if (prepared.parameterCount() != values.size()) {
                throw Fault.STATEMENT_INVALID.in(
                        "--file",
                        "the statement has %d parameters, but %d were given"
                                .formatted(prepared.parameterCount(), values.size()),
                        "Nothing was run",
                        "give one value for each `?`, after the statement");
            }
            for (int i = 0; i < values.size(); i++) prepared.bind(i + 1, values.get(i));
            int count = prepared.columnCount();
            List<String> names = new ArrayList<>();
            for (int i = 0; i < count; i++) names.add(prepared.columnName(i));
            printer.columns(names);
            while (prepared.step()) {
                List<Value> cells = new ArrayList<>(count);
                for (int i = 0; i < count; i++) cells.add(prepared.valueAt(i));
                printer.row(cells);
            }
            printer.end();
        }
    }

    private String standardInput() throws IOException {
        byte[] bytes = surroundings.in().readNBytes(MAX_SQL_BYTES + 1);
        if (bytes.length > MAX_SQL_BYTES) {
            throw Fault.TOO_LARGE.in(
                    "standard input",
                    "it has more than %d bytes".formatted(MAX_SQL_BYTES),
                    "Nothing was run",
                    "load data with POST /import instead, which takes files of any size");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static Value value(String parameter) {
        if (parameter.matches("-?(0|[1-9][0-9]{0,17})")) return new Value.Int(Long.parseLong(parameter));
        if (parameter.matches("-?(0|[1-9][0-9]{0,14})\\.[0-9]{1,15}")) {
            return new Value.Real(Double.parseDouble(parameter));
        }
        return new Value.Text(parameter);
    }

    private static Object plain(Value value) {
        return switch (value) {
            case Value.Int(long number) -> number;
            case Value.Real(double number) -> number;
            default -> RowPrinter.text(value, "");
        };
    }
}
