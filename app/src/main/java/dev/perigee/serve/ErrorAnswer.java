package dev.perigee.serve;

import dev.perigee.plugin.Json;
import java.nio.ByteBuffer;
import java.util.Map;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/// Answers the requests that Jetty refuses by itself, such as malformed ones or ones with too large headers. The answer
/// is our usual `{"error": …}`.
final class ErrorAnswer implements Request.Handler {
    private final Cors cors;

    ErrorAnswer(Cors cors) {
        this.cors = cors;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        cors.addTo(response.getHeaders(), request.getHeaders().get(HttpHeader.ORIGIN));
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
        byte[] body = Json.MAPPER.writeValueAsBytes(Map.of("error", HttpStatus.getMessage(response.getStatus())));
        response.write(true, ByteBuffer.wrap(body), callback);
        return true;
    }
}
