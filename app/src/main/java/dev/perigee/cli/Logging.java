package dev.perigee.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.ParseResult;

/// How much of the log reaches standard error; `logback.xml` says in which form.
final class Logging {
    private static final String SERVE = "serve";

    private Logging() {}

    /// A server's log is what its operator reads. The other commands speak for themselves, so of the log only errors
    /// are left, which are mistakes of our own.
    static Level level(ParseResult parsed, boolean verbose) {
        if (verbose) return Level.DEBUG;
        ParseResult last = parsed;
        while (last.hasSubcommand()) last = last.subcommand();
        return last.commandSpec().name().equals(SERVE) ? Level.INFO : Level.ERROR;
    }

    static void begin(Level level) {
        // Others' libraries say much on DEBUG that helps nobody here.
        logger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN);
        logger("dev.perigee").setLevel(level);
    }

    private static Logger logger(String name) {
        return (Logger) LoggerFactory.getLogger(name);
    }
}
