package dev.perigee.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class LoggingTest {
    @Test
    void an_event_is_one_line_whatever_is_in_it() throws Exception {
        assertThat(line("two\r\n\tlines", null)).matches("\\S+ WARN  Some: two \\| lines\n");
        assertThat(line("failed", new IllegalStateException("a\nb")))
                .matches("\\S+ WARN  Some: failed \\| java.lang.IllegalStateException: a \\| b \\| at .*\n")
                .hasLineCount(1);
    }

    @Test
    void only_a_server_logs_what_it_does() {
        assertThat(level("serve")).isEqualTo(Level.INFO);
        assertThat(level("sync", "--to", "x")).isEqualTo(Level.ERROR);
        assertThat(level("tables", "list")).isEqualTo(Level.ERROR);
    }

    @Test
    void the_pool_that_stops_while_the_source_does_not_answer_says_nothing() throws Exception {
        // Every failure of it that matters is a fault of ours, with a remedy.
        assertThat(context().getLogger("com.zaxxer.hikari.pool.HikariPool").getEffectiveLevel())
                .isEqualTo(Level.ERROR);
    }

    private static Level level(String... arguments) {
        CommandLine line = Main.commandLine(new ProcessContext(Map.of(), System.in, false));
        return Logging.level(line.parseArgs(arguments), false);
    }

    private static LoggerContext context() throws Exception {
        LoggerContext context = new LoggerContext();
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(Objects.requireNonNull(Main.class.getResource("/logback.xml")));
        return context;
    }

    private static String line(String message, Throwable failure) throws Exception {
        LoggerContext context = context();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        ConsoleAppender<ILoggingEvent> appender = (ConsoleAppender<ILoggingEvent>) root.getAppender("STDERR");
        LoggingEvent event =
                new LoggingEvent("x", context.getLogger("dev.perigee.Some"), Level.WARN, message, failure, null);
        return new String(appender.getEncoder().encode(event), StandardCharsets.UTF_8);
    }
}
