package dev.perigee.cli;

import dev.perigee.cli.demo.DemoCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
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
        System.exit(commandLine(ProcessContext.ofProcess()).execute(args));
    }

    /// The complete command line. It writes to this process's streams unless others are set.
    static CommandLine commandLine(ProcessContext surroundings) {
        Main main = new Main();
        CommandLine line = new CommandLine(main)
                .addSubcommand(new DemoCommand())
                .addSubcommand(new ServeCommand(surroundings))
                .addSubcommand(new SyncCommand(surroundings))
                .addSubcommand(new DoctorCommand(surroundings))
                .addSubcommand(new StatusCommand(surroundings))
                .addSubcommand(new CommandLine(new TablesCommand(surroundings))
                        .addSubcommand(new TablesBackfill(surroundings))
                        .addSubcommand(new TablesSetAside(surroundings)))
                .addSubcommand(new VerifyCommand(surroundings))
                .addSubcommand(new QueryCommand(surroundings))
                .addSubcommand(new WaitCommand(surroundings))
                .addSubcommand(new VersionCommand());
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
