package dev.perigee.worker;

import dev.perigee.worker.WorkerProcess.Work.Files;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/// A process that enters the sandbox and tries what it forbids. Prints a line for each attempt.
final class TrySandbox {
    private interface Attempt {
        void run() throws IOException;
    }

    private TrySandbox() {}

    /// Arguments: a file that stays readable, one that stays writable, one that is secret, a port that listens.
    public static void main(String[] arguments) {
        Path readable = Path.of(arguments[0]);
        Path writable = Path.of(arguments[1]);
        Path secret = Path.of(arguments[2]);
        int port = Integer.parseInt(arguments[3]);
        Set<Path> allowed = new HashSet<>(WorkerProcess.classPath());
        allowed.addAll(Set.of(Path.of(System.getProperty("java.home")), readable));
        Sandbox.enter(64L << 20, new Files(allowed, Set.of(writable)), false);
        attempt("read allowed", () -> java.nio.file.Files.readString(readable));
        attempt("write allowed", () -> java.nio.file.Files.writeString(writable, "new"));
        attempt("read secret", () -> java.nio.file.Files.readString(secret));
        attempt("write readable", () -> java.nio.file.Files.writeString(readable, "changed"));
        attempt("make", () -> java.nio.file.Files.writeString(secret.resolveSibling("made"), "new"));
        attempt("connect", () -> new Socket(InetAddress.getLoopbackAddress(), port).close());
        attempt("start a program", () -> new ProcessBuilder("/bin/true").start());
        attempt("load a class", () -> new WireException("loaded late").fillInStackTrace());
    }

    private static void attempt(String name, Attempt attempt) {
        try {
            attempt.run();
            System.out.println(name + ": done");
        } catch (IOException | RuntimeException | LinkageError e) {
            System.out.println(name + ": refused");
        }
    }
}
