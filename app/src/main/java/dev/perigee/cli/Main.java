package dev.perigee.cli;

import dev.perigee.cli.demo.DemoCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/// The `perigee` command: finds the command asked for, runs it, and turns an exception into a line and an exit code.
@Command(
        name = "perigee",
        description = "A SQLite copy of the tables you choose in an external database, served over HTTP.",
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = VersionCommand.class,
        footer = {"", "`perigee COMMAND --help` shows a command's options, examples and exit codes."})
public final class Main implements Runnable {
    /// In the order of the help.
    private static final List<String> COMMANDS = List.of(
            "demo", "serve", "sync", "doctor", "status", "tables", "verify", "query", "wait", "version", "train");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @SuppressWarnings("UnusedVariable") // picocli acts on it.
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    private boolean isHelpAsked;

    @SuppressWarnings("UnusedVariable") // picocli acts on it.
    @Option(names = "--version", versionHelp = true, description = "Show what `perigee version` shows.")
    private boolean isVersionAsked;

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Say more on standard error, with stack traces.")
    private boolean verbose;

    private Main() {}

    public static void main(String[] args) {
        ProcessContext surroundings = ProcessContext.ofProcess();
        // Only the command asked for: to make all of them takes longer than most of them run.
        List<String> named = args.length > 0 && COMMANDS.contains(args[0]) ? List.of(args[0]) : COMMANDS;
        System.exit(commandLine(surroundings, named).execute(args));
    }

    /// Makes a command. No method references here: the JDK 25.0.3 crashes when it writes an AOT cache with references
    /// to constructors of classes that extend picocli's.
    private static Object command(String name, ProcessContext surroundings) {
        return switch (name) {
            case "demo" -> new DemoCommand();
            case "serve" -> new ServeCommand(surroundings);
            case "sync" -> new SyncCommand(surroundings);
            case "doctor" -> new DoctorCommand(surroundings);
            case "status" -> new StatusCommand(surroundings);
            case "tables" ->
                new CommandLine(new TablesCommand(surroundings))
                        .addSubcommand(new TablesBackfill(surroundings))
                        .addSubcommand(new TablesSetAside(surroundings));
            case "verify" -> new VerifyCommand(surroundings);
            case "query" -> new QueryCommand(surroundings);
            case "wait" -> new WaitCommand(surroundings);
            case "version" -> new VersionCommand();
            case "train" -> new TrainCommand(surroundings);
            default -> throw new IllegalArgumentException("no command " + name);
        };
    }

    /// The complete command line. It writes to this process's streams unless others are set.
    static CommandLine commandLine(ProcessContext surroundings) {
        return commandLine(surroundings, COMMANDS);
    }

    private static CommandLine commandLine(ProcessContext surroundings, List<String> names) {
        Main main = new Main();
        CommandLine line = new CommandLine(main);
        for (String name : names) line.addSubcommand(command(name, surroundings));
        Errors errors = new Errors(() -> main.verbose);
        line.setParameterExceptionHandler(errors);
        line.setExecutionExceptionHandler(errors);
        line.setExecutionStrategy(parsed -> {
            Logging.begin(Logging.level(parsed, main.verbose));
            return new CommandLine.RunLast().execute(parsed);
        });
        line.setUsageHelpWidth(100);
        line.setUsageHelpAutoWidth(false);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        // UTF-8 whatever the locale: in the C locale a name that is not ASCII would become question marks.
        line.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        return line;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }
}
