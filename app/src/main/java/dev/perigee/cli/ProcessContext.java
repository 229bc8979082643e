package dev.perigee.cli;

import java.io.InputStream;
import java.util.Map;

/// What a command uses of its process. It is passed in, so that tests can replace it.
///
/// @param environment the variables
/// @param in standard input
/// @param isTerminal whether a person reads the output and can answer
record ProcessContext(Map<String, String> environment, InputStream in, boolean isTerminal) {
    ProcessContext {
        environment = Map.copyOf(environment);
    }

    /// The context of this process.
    static ProcessContext ofProcess() {
        boolean isDumb = System.getenv("TERM") == null || System.getenv("TERM").equals("dumb");
        boolean isTerminal = System.console() != null && System.console().isTerminal() && !isDumb;
        return new ProcessContext(System.getenv(), System.in, isTerminal);
    }
}
