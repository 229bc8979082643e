package dev.perigee.serve;

import static dev.perigee.testing.ServedStore.ADMIN;
import static dev.perigee.testing.ServedStore.CLIENT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.perigee.config.ServeConfig;
import dev.perigee.config.SurfaceConfig;
import dev.perigee.config.SurfaceConfig.Crowd;
import dev.perigee.config.SurfaceConfig.Tls;
import dev.perigee.testing.ServedStore;
import dev.perigee.testing.ServedStore.Setup;
import dev.perigee.testing.TestCertificates;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// Many connections at once that ask for little, and slowly.
class CrowdTest {
    @TempDir
    private Path directory;

    private final Deque<Socket> sockets = new ArrayDeque<>();

    @AfterEach
    void hangUp() throws IOException {
        for (Socket socket : sockets) socket.close();
    }

    private ServedStore served(int maxConnections, Crowd crowd) {
        SurfaceConfig surface = new SurfaceConfig(List.of(), 100_000, 60, false, Optional.empty(), false, crowd);
        return new ServedStore(
                directory,
                Setup.standard()
                        .serve(c -> c.with(new ServeConfig.Limits(
                                        c.limits().maxBodyBytes(),
                                        maxConnections,
                                        c.limits().requestTimeout(),
                                        Duration.ofSeconds(1)))
                                .with(surface)));
    }

    private Socket connect(ServedStore served, String from) throws IOException {
        Socket socket = new Socket("127.0.0.1", served.server.port(), InetAddress.getByName(from), 0);
        socket.setSoTimeout(20_000);
        sockets.add(socket);
        return socket;
    }

    private void beginBody(Socket socket) throws IOException {
        String head = "POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n".formatted(CLIENT)
                + "Content-Type: application/json\r\nContent-Length: 20000\r\n\r\n{";
        socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
    }

    private static int ask(ServedStore served, String token) throws Exception {
        HttpRequest request = served.request("/query", token)
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(20))
                .POST(BodyPublishers.ofString(ServedStore.statement("SELECT 1")))
                .build();
        return served.http.send(request, BodyHandlers.discarding()).statusCode();
    }

    @Test
    void bodies_that_come_slowly_keep_neither_clients_nor_admins_out() throws Exception {
        try (ServedStore served = served(1024, Crowd.DEFAULTS)) {
            for (int i = 0; i < 300; i++) beginBody(connect(served, "127.0.0.1"));
            for (int i = 0; i < 5; i++) {
                assertThat(ask(served, ADMIN)).isEqualTo(200);
                assertThat(ask(served, CLIENT)).isEqualTo(200);
            }
        }
    }

    @Test
    void a_body_that_comes_too_slowly_loses_its_connection() throws Exception {
        try (ServedStore served = served(64, Crowd.DEFAULTS)) {
            Socket slow = connect(served, "127.0.0.1");
            beginBody(slow);
            // Well before the idle timeout of 30 s, which ends a connection that stands still.
            slow.setSoTimeout(15_000);
            assertThat(new String(slow.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .isEmpty();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX) // Others have one loopback address only.
    void idle_connections_of_one_address_leave_some_to_others() throws Exception {
        // No connection is closed for others before it has waited for three seconds: this one is let in at once.
        try (ServedStore served = served(40, new Crowd(32, 1024, 30))) {
            for (int i = 0; i < 100; i++) connect(served, "127.0.0.2");
            assertThat(ask(served, ADMIN)).isEqualTo(200);
            int open = 0;
            for (Socket socket : sockets) {
                socket.setSoTimeout(1);
                if (!isClosed(socket)) open++;
            }
            assertThat(open).isBetween(1, 30);
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void idle_connections_of_many_addresses_give_way_to_others() throws Exception {
        try (ServedStore served = served(40, Crowd.DEFAULTS)) {
            for (int i = 0; i < 100; i++) connect(served, "127.0.0." + (2 + i % 50));
            assertThat(ask(served, ADMIN)).isEqualTo(200);
        }
    }

    @Test
    void an_encrypted_connection_serves_longer_than_a_handshake_may_take() throws Exception {
        TestCertificates authority = new TestCertificates(directory, "authority");
        Path certificate = authority.sign("server", "EC", "ip:127.0.0.1");
        Tls tls = new Tls(certificate, directory.resolve("server.key"));
        SurfaceConfig surface = new SurfaceConfig(List.of(), 100_000, 60, false, Optional.of(tls), false);
        Setup setup = Setup.standard()
                .serve(c -> c.with(new ServeConfig.Limits(
                                c.limits().maxBodyBytes(), 2, Duration.ofSeconds(4), Duration.ofSeconds(1)))
                        .with(surface));
        byte[] request = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        SSLContext trusting = TestCertificates.trusting(authority.root());
        try (ServedStore served = new ServedStore(directory, setup);
                Socket socket = trusting.getSocketFactory().createSocket("127.0.0.1", served.server.port())) {
            socket.setSoTimeout(10_000);
            BufferedReader answers =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            long end = System.nanoTime() + Duration.ofSeconds(9).toNanos();
            while (System.nanoTime() < end) {
                socket.getOutputStream().write(request);
                assertThat(answers.readLine()).isEqualTo("HTTP/1.1 200 OK");
                String line = answers.readLine();
                while (!line.isEmpty()) line = answers.readLine();
                char[] body = new char["{\"result\":{\"status\":\"ok\"}}".length()];
                for (int read = 0; read < body.length; ) read += answers.read(body, read, body.length - read);
            }
        }
    }

    private static boolean isClosed(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException _) {
            return false;
        } catch (SocketException _) {
            return true;
        }
    }
}
