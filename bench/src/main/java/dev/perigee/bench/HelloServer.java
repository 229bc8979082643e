package dev.perigee.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/// The HTTP library alone, as fast as it goes: a handler that answers every request with one small JSON text, on the
/// thread that read it. What a server on this library can reach at best.
public final class HelloServer {
    private static final byte[] HELLO = "{\"result\":[{\"hello\":\"world\"}]}".getBytes(StandardCharsets.UTF_8);

    private HelloServer() {}

    public static void main(String[] args) throws Exception {
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(new Handler.Abstract.NonBlocking() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
                response.write(true, ByteBuffer.wrap(HELLO), callback);
                return true;
            }
        });
        server.start();
        System.out.printf("Listening on http://127.0.0.1:%d/%n", connector.getLocalPort());
        server.join();
    }
}
