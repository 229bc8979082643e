package dev.perigee.cli;

import dev.perigee.Perigee;
import dev.perigee.cli.args.Exit;
import dev.perigee.cli.args.GivenPath;
import dev.perigee.config.PerigeeConfig;
import dev.perigee.config.PerigeeConfigReader;
import dev.perigee.config.PerigeeConfigReader.Overrides;
import dev.perigee.config.SourceConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `perigee serve`: runs the server until it is told to stop.
@Command(
        name = "serve",
        sortOptions = false,
        description = {
            "Follows the source's tables and serves the copy over HTTP, until Ctrl-C or SIGTERM.",
            "The source is in EXTERNAL_DB_URL, in the EXTERNAL_DB_* variables, or in the configuration file,",
            "the admin token in ADMIN_AUTHORIZATION_TOKEN, the clients' token in CLIENT_AUTHORIZATION_TOKEN.",
            "Clients' statements run in worker processes. perigee.example.yaml has every setting.",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  export ADMIN_AUTHORIZATION_TOKEN=$(openssl rand -hex 24)",
            "  EXTERNAL_DB_URL=postgres://me:password@db/shop perigee serve --data ./data",
            "  perigee serve --config perigee.yaml --host 0.0.0.0 --port 80",
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:Stopped as asked; what was begun is finished.",
            "1:It could not start, or could not continue; standard error says why.",
            Exit.USAGE_TEXT,
            Exit.LAUNCHER_TEXT
        })
final class ServeCommand implements Callable<Integer> {
    private static final int MAX_PORT = 65_535;

    private final ProcessContext surroundings;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            converter = GivenPath.class,
            description = "The data folder; the replica is DIR/perigee.db. Default: data.")
    private @Nullable Path data;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            description = "The address to listen on; 0.0.0.0 for all. Default: 127.0.0.1.")
    private @Nullable String host;

    @Option(names = "--port", paramLabel = "N", description = "The port; 0 picks a free one. Default: 8787.")
    private @Nullable Integer port;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            converter = GivenPath.class,
            description = "Settings and tables, see perigee.example.yaml.")
    private @Nullable Path config;

    ServeCommand(ProcessContext surroundings) {
        this.surroundings = surroundings;
    }

    private volatile int exitCode = Exit.OK;

    @Override
    public Integer call() throws InterruptedException, ExecutionException {
        if (port != null && (port < 0 || port > MAX_PORT)) {
            throw new ParameterException(spec.commandLine(), "--port: expected 0 to %d".formatted(MAX_PORT));
        }
        Overrides overrides = new Overrides(
                Optional.ofNullable(data),
                Optional.ofNullable(host),
                port == null ? OptionalInt.empty() : OptionalInt.of(port));
        PerigeeConfig settings =
                PerigeeConfigReader.read(Optional.ofNullable(config), overrides, surroundings.environment());
        Perigee perigee = Perigee.open(settings);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(perigee), "perigee-stop"));
        greet(settings, perigee);
        Thread.setDefaultUncaughtExceptionHandler(perigee.store().threads().others());
        // If the process is asked to stop, the hook ends it. This returns only when a thread that it cannot serve
        // without has ended.
        String why = perigee.store().threads().vitalEnd().get();
        PrintWriter err = spec.commandLine().getErr();
        err.println(why + ". The server ends; start it again. The log has the cause.");
        err.flush();
        exitCode = Exit.FAILED;
        return Exit.FAILED;
    }

    /// The shutdown hook, which runs when the process is asked to stop. It halts the process itself, because the JVM's
    /// own exit code would be the signal's, which looks like a crash.
    private void stop(Perigee perigee) {
        perigee.close();
        out().println("Stopped.");
        out().flush();
        Runtime.getRuntime().halt(exitCode);
    }

    private void greet(PerigeeConfig settings, Perigee perigee) {
        String address = settings.serve().host();
        String shown = address.contains(":") ? "[" + address + "]" : address;
        String scheme = settings.serve().surface().tls().isPresent() ? "https" : "http";
        out().printf("Listening on %s://%s:%d/%n", scheme, shown, perigee.port());
        out().printf("Replica      %s%n", perigee.store().file());
        out().printf(
                        "Source       %s%n",
                        settings.source()
                                .map(SourceConfig::place)
                                .orElse("none: set EXTERNAL_DB_URL to replicate a database"));
        out().flush();
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }
}
