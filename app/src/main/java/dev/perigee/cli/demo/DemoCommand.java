package dev.perigee.cli.demo;

import dev.perigee.cli.args.Exit;
import dev.perigee.cli.args.GivenPath;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `perigee demo`: a real PostgreSQL with a live shop, replicated and served.
@Command(
        name = "demo",
        description = {
            "Starts a real PostgreSQL with a live shop, replicates its tables, and serves the copy.",
            "Needs nothing else. Everything it makes is in one folder, which the next start uses again.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  perigee demo                      until Ctrl-C",
            "  perigee demo --for 30s            then compares every row and says whether they are equal",
            "  perigee demo --data /tmp/demo     keeps its files there",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Stopped by Ctrl-C or SIGTERM; with --for: the copy equals the source.",
            "1:It failed, or with --for: the copy differs from the source.",
            "2:The arguments are wrong; nothing was started.",
            "3:The launcher found no JDK, or could not build.",
        })
public final class DemoCommand implements Callable<Integer> {
    private static final int DEFAULT_PORT = 8787;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = Time.class,
            description = "How long the shop is open, such as 30s or 5m. Then a last sync, a comparison, and the end.")
    private @Nullable Duration time;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            converter = GivenPath.class,
            description = "Where the demo keeps its files. Default: perigee/demo in your cache folder.")
    private @Nullable Path data;

    @Option(
            names = "--port",
            paramLabel = "N",
            description = "Port of the page and the API; 0 picks a free one. Default: ${DEFAULT-VALUE}.")
    private int port = DEFAULT_PORT;

    @Override
    public Integer call() throws Exception {
        if (port < 0 || port > 65_535) {
            throw new ParameterException(spec.commandLine(), "--port is %d, expected 0 to 65535".formatted(port));
        }
        Path path = data == null ? DemoFolder.standard() : data;
        Screen screen = new Screen(spec.commandLine().getOut(), Screen.isTerminal());
        try (StopSignal stop = new StopSignal();
                DemoFolder folder = DemoFolder.open(path)) {
            return stop.endWith(new Demo(screen, stop).run(folder, port, Optional.ofNullable(time)));
        } catch (InterruptedException _) {
            return Exit.FAILED;
        }
    }

    /// `30s`, `5m`, `1h`.
    static final class Time implements ITypeConverter<Duration> {
        private static final Pattern FORM = Pattern.compile("(\\d{1,6})(s|m|h)");

        @Override
        public Duration convert(String text) {
            Matcher form = FORM.matcher(text);
            if (!form.matches()) {
                throw new TypeConversionException("`%s` is not a time such as 30s, 5m or 1h".formatted(text));
            }
            long amount = Long.parseLong(form.group(1));
            if (amount == 0)
                throw new TypeConversionException("expected more than no time, found `%s`".formatted(text));
            return switch (form.group(2)) {
                case "s" -> Duration.ofSeconds(amount);
                case "m" -> Duration.ofMinutes(amount);
                default -> Duration.ofHours(amount);
            };
        }
    }
}
