package dev.perigee.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// What a worker process can no longer do, tried in a process of its own.
@EnabledOnOs(OS.LINUX)
class SandboxTest {
    @TempDir
    Path directory;

    @Test
    void a_worker_reads_and_writes_its_own_files_only_and_reaches_no_network_and_no_program() throws Exception {
        Path readable = Files.writeString(directory.resolve("readable"), "r");
        Path writable = Files.writeString(directory.resolve("writable"), "w");
        Path secret = Files.writeString(directory.resolve("secret"), "s");
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process child = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-cp",
                            System.getProperty("java.class.path"),
                            TrySandbox.class.getName(),
                            readable.toString(),
                            writable.toString(),
                            secret.toString(),
                            Integer.toString(listening.getLocalPort()))
                    .redirectErrorStream(true)
                    .start();
            String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(said.lines())
                    .containsExactly(
                            "read allowed: done",
                            "write allowed: done",
                            "read secret: refused",
                            "write readable: refused",
                            "make: refused",
                            "connect: refused",
                            "start a program: refused",
                            "load a class: done");
            assertThat(child.waitFor()).isZero();
        }
        assertThat(readable).hasContent("r");
        assertThat(directory.resolve("made")).doesNotExist();
    }
}
