package dev.perigee.worker;

import dev.perigee.config.WorkerConfig;
import dev.perigee.fault.Fault;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts worker processes with the JVM and class path of this process, a small heap, and an environment without
/// secrets.
///
/// The child reads from its standard input where to connect: a socket in a folder that only this user can enter.
/// Standard input stays open as long as this process lives, so a worker whose server was killed sees its end.
final class WorkerStart {
    /// How many lines of a child's error output are logged. A crash loop must not fill the log.
    private static final int MAX_LOGGED_LINES = 20;

    /// Environment variables that the child inherits. They affect SQLite and the search for its library; none is
    /// secret.
    private static final List<String> KEPT_VARIABLES = List.of("TZ", "LANG", "LC_ALL", "PERIGEE_SQLITE_LIBRARY");

    /// System property with the children's class path, for programs that embed Perigee and load it in another way.
    private static final String CLASS_PATH_SETTING = "perigee.worker.classpath";

    private static final String SQLITE_SETTING = "perigee.sqlite.library";
    private static final Logger LOG = LoggerFactory.getLogger(WorkerStart.class);

    private final WorkerConfig config;
    private final String mainClass;

    WorkerStart(WorkerConfig config, String mainClass) {
        this.config = config;
        this.mainClass = mainClass;
    }

    /// Starts a child. Returns when it is connected, has been greeted, and has said that it is ready.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#WORKER_FAILED] if it does not start
    Worker start(Consumer<Wire> greeting) {
        try {
            // Accessible to this user only, like every temporary folder that Java creates.
            Path folder = Files.createTempDirectory("perigee-worker-");
            Path socket = folder.resolve("socket");
            try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                server.bind(UnixDomainSocketAddress.of(socket));
                return start(server, socket, greeting);
            } finally {
                Files.deleteIfExists(socket);
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw Fault.WORKER_FAILED.in("the start of a worker process", e.toString(), "No statement was run", e);
        }
    }

    private Worker start(ServerSocketChannel server, Path socket, Consumer<Wire> greeting) throws IOException {
        Process process = launch();
        try {
            // Closing the server channel ends the wait in accept(). The child's exit closes it, and so does the time
            // limit.
            CompletableFuture<Process> end = process.onExit();
            CompletableFuture<?> _ = end.whenComplete((_, _) -> close(server));
            CompletableFuture.delayedExecutor(WorkerPool.START_WAIT.toSeconds(), TimeUnit.SECONDS)
                    .execute(() -> close(server));
            log(process);
            OutputStream input = process.getOutputStream();
            input.write((socket + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
            SocketChannel channel = server.accept();
            Wire wire = new Wire(channel);
            Worker worker = new Worker(process, wire, config.maxResidentBytes());
            try {
                wire.putLong(config.memoryBytes());
                greeting.accept(wire);
                wire.flush();
                if (!wire.getBoolean()) throw new IOException("it refused to start: " + wire.getText());
                return worker;
            } catch (WireException e) {
                throw new IOException("it ended while it was starting", e);
            }
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private Process launch() throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(
                "-Xmx" + (config.heapBytes() >> 20) + "m",
                "-Xmn16m",
                "-Xss1m",
                "-XX:+UseSerialGC",
                // Most of the work is SQLite's. The optimizing compiler would use seconds of CPU time in each worker.
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                // A crash is reported by the exit code. A dump would contain rows.
                "-XX:+SuppressFatalErrorMessage",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED"));
        String library = System.getProperty(SQLITE_SETTING);
        if (library != null) command.add("-D" + SQLITE_SETTING + "=" + library);
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument -> argument.startsWith("-XX:AOTCache="))
                .forEach(cache -> command.addAll(List.of(cache, "-Xlog:aot*=off")));
        command.addAll(List.of("-cp", classPath(), mainClass));
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        Map<String, String> environment = builder.environment();
        environment.keySet().retainAll(KEPT_VARIABLES);
        return builder.start();
    }

    private static String classPath() {
        return System.getProperty(CLASS_PATH_SETTING, System.getProperty("java.class.path"));
    }

    private static void log(Process process) {
        // Not a virtual thread: reading a pipe pins its carrier, and two workers would pin all carriers of a machine
        // with two processors.
        Thread.ofPlatform().daemon().name("perigee-worker-errors").start(() -> {
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
                int count = 0;
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    if (count++ < MAX_LOGGED_LINES) LOG.warn("Worker process {}: {}", process.pid(), line);
                }
            } catch (IOException _) {
                // The process has ended.
            }
        });
    }

    private static void close(ServerSocketChannel server) {
        try {
            server.close();
        } catch (IOException _) {
            // Closing it only ends the wait for a connection.
        }
    }
}
