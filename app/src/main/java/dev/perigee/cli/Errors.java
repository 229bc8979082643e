package dev.perigee.cli;

import dev.perigee.cli.args.Exit;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// Reports what went wrong, always as `perigee: …` on standard error, and picks the exit code. A stack trace follows
/// with `--verbose`, and for internal errors.
final class Errors implements IParameterExceptionHandler, IExecutionExceptionHandler {
    private static final Set<Fault> WRONG_USAGE = EnumSet.of(Fault.CONFIG_INVALID, Fault.SOURCE_NOT_CONFIGURED);

    private final BooleanSupplier isVerbose;

    Errors(BooleanSupplier isVerbose) {
        this.isVerbose = isVerbose;
    }

    @Override
    public int handleParseException(ParameterException wrong, String[] args) {
        CommandLine command = wrong.getCommandLine();
        command.getErr().println("perigee: " + wrong.getMessage());
        UnmatchedArgumentException.printSuggestions(wrong, command.getErr());
        command.getErr()
                .println("`%s --help` shows its options."
                        .formatted(command.getCommandSpec().qualifiedName()));
        return Exit.USAGE;
    }

    @Override
    public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
        boolean isExpected = failure instanceof PerigeeException known && known.fault() != Fault.INTERNAL;
        command.getErr().println("perigee: " + message(failure));
        if (isVerbose.getAsBoolean() || !isExpected) failure.printStackTrace(command.getErr());
        return exitCode(failure);
    }

    /// The exit code of a command that ended with `failure`.
    static int exitCode(Exception failure) {
        return failure instanceof PerigeeException known && WRONG_USAGE.contains(known.fault())
                ? Exit.USAGE
                : Exit.FAILED;
    }

    private static String message(Exception failure) {
        return failure instanceof PerigeeException ? String.valueOf(failure.getMessage()) : failure.toString();
    }
}
