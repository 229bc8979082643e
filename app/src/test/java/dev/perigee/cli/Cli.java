package dev.perigee.cli;

import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import picocli.CommandLine;

/// Runs the command line in this process: the same one as `Main`, with streams of its own.
final class Cli {
    record Ended(int exitCode, String out, String err) {}

    private final Map<String, String> environment;
    private String input = "";
    private boolean isTerminal;

    Cli(Map<String, String> environment) {
        this.environment = environment;
    }

    /// A person at a terminal who types `input`.
    Cli typing(String input) {
        this.input = input;
        this.isTerminal = true;
        return this;
    }

    /// Standard input from a file or a pipe.
    Cli reading(String input) {
        this.input = input;
        return this;
    }

    Ended run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine(new ProcessContext(
                environment, new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), isTerminal));
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        int exitCode = line.execute(arguments);
        return new Ended(exitCode, out.toString(), err.toString());
    }
}
