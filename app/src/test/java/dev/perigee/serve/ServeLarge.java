package dev.perigee.serve;

import dev.perigee.testing.ServedStore;
import java.nio.file.Path;

/// A server in a process of its own, with as little memory as the test gives it, until its input ends.
final class ServeLarge {
    private ServeLarge() {}

    public static void main(String[] arguments) throws Exception {
        try (ServedStore served = new ServedStore(Path.of(arguments[0]))) {
            System.out.println("port " + served.server.port());
            while (System.in.read() >= 0) {}
        }
    }
}
