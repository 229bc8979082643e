package dev.perigee.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ParseResult;

/// How much of the log reaches standard error; `logback.xml` says in which form.
final class Logging {
    private static final String SERVE = "serve";

    private Logging() {}

    /// The level for a command. A server's log is for its operator. The other commands print their own messages, so
    /// they log only errors, which are bugs of our own.
    static Level level(ParseResult parsed, boolean verbose) {
        if (verbose) return Level.DEBUG;
        ParseResult last = parsed;
        while (last.hasSubcommand()) last = last.subcommand();
        return last.commandSpec().name().equals(SERVE) ? Level.INFO : Level.ERROR;
    }

    static void begin(Level level) {
        // At DEBUG the libraries log much that helps nobody here.
        logger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN);
        logger("dev.perigee").setLevel(level);
    }

    private static Logger logger(String name) {
        return (Logger) LoggerFactory.getLogger(name);
    }
}
