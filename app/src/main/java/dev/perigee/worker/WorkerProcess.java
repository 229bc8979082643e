package dev.perigee.worker;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;

/// The child's side: connects to the server, enters the sandbox, and serves exchanges one after the other until the
/// server ends.
public final class WorkerProcess {
    /// Stack of the thread that works: a megabyte of SQL can nest deeper than Java's usual stack allows.
    private static final long STACK_BYTES = 16L << 20;

    /// What a worker does.
    public interface Work {
        /// Reads a request from the wire and answers it. An exception ends the process.
        void serve();

        /// Interrupts the running [#serve()], as far as that is possible. Any thread.
        void cancel();

        /// Whether the server's own work waits while a request is served. If so, the thread keeps its priority.
        boolean isUrgent();

        /// The files it needs. After it has entered the [Sandbox], its thread can open no others.
        Files files();

        /// @param readable files and folders that are read
        /// @param writable files that are read and written
        record Files(Set<Path> readable, Set<Path> writable) {}
    }

    private final DataInputStream control = new DataInputStream(System.in);
    private long current;
    private @Nullable Work work;

    private WorkerProcess() {}

    /// Connects and starts the child's threads; they run until the server ends or a request fails. Called once, by the
    /// child's `main`.
    ///
    /// @param opening makes the work from the server's greeting. The message of an exception from it is reported to the
    ///     server
    public static void run(Function<Wire, Work> opening) {
        new WorkerProcess().connect(opening);
    }

    /// Every file and folder from which classes are loaded, including those named in a jar's manifest.
    public static Set<Path> classPath() {
        Set<Path> entries = new HashSet<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path path = Path.of(entry).toAbsolutePath();
            entries.add(path);
            if (path.toFile().isFile()) entries.addAll(namedByManifest(path));
        }
        return entries;
    }

    private static Set<Path> namedByManifest(Path jar) {
        try (JarFile opened = new JarFile(jar.toFile())) {
            Manifest manifest = opened.getManifest();
            String named =
                    manifest == null ? null : manifest.getMainAttributes().getValue("Class-Path");
            if (named == null) return Set.of();
            Set<Path> entries = new HashSet<>();
            for (String each : named.strip().split("\\s+"))
                entries.add(Path.of(jar.toUri().resolve(each)));
            return entries;
        } catch (IOException | IllegalArgumentException _) {
            return Set.of(); // The class loader ignores such an entry too.
        }
    }

    private void connect(Function<Wire, Work> opening) {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(readLine()));
            Wire wire = new Wire(channel);
            Thread.ofPlatform().daemon().name("control").start(this::followControl);
            Thread.ofPlatform().name("work").stackSize(STACK_BYTES).start(() -> work(wire, opening));
        } catch (IOException | RuntimeException e) {
            System.err.println("cannot connect to the server: " + e);
            Runtime.getRuntime().halt(1);
        }
    }

    private String readLine() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = control.read(); next != '\n'; next = control.read()) {
            if (next < 0) throw new IOException("standard input has ended");
            line.write(next);
        }
        return line.toString(StandardCharsets.UTF_8);
    }

    private void work(Wire wire, Function<Wire, Work> opening) {
        try {
            Work opened = open(wire, opening);
            synchronized (this) {
                work = opened;
            }
            while (true) {
                long number = wire.getLong();
                setCurrent(number);
                opened.serve();
                wire.flush();
                setCurrent(0);
            }
        } catch (WireException _) {
            Runtime.getRuntime().halt(0); // The server closed the connection: it no longer needs this worker.
        } catch (Throwable e) {
            System.err.println("running a statement failed: " + e);
            Runtime.getRuntime().halt(2);
        }
    }

    private static Work open(Wire wire, Function<Wire, Work> opening) {
        try {
            long memoryBytes = wire.getLong();
            Work opened = opening.apply(wire);
            Sandbox.enter(memoryBytes, opened.files(), opened.isUrgent());
            wire.putBoolean(true).flush();
            return opened;
        } catch (WireException e) {
            throw e;
        } catch (RuntimeException | LinkageError e) {
            wire.putBoolean(false).putText(String.valueOf(e.getMessage())).flush();
            throw e;
        }
    }

    private synchronized void setCurrent(long number) {
        current = number;
    }

    /// Reads the server's requests to stop: each number on standard input names an exchange that is to end. The end of
    /// input means that the server has ended.
    private void followControl() {
        try {
            while (true) {
                long number = control.readLong();
                synchronized (this) {
                    if (number == current && work != null) work.cancel();
                }
            }
        } catch (IOException _) {
            Runtime.getRuntime().halt(0);
        }
    }
}
