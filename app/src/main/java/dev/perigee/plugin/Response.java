package dev.perigee.plugin;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;

/// An answer. Bodies that stream are written on a thread that may block; a failure after the first byte ends the
/// connection without its proper end, so that a client cannot take it for complete.
public record Response(int status, String contentType, Map<String, String> headers, Body body) {
    /// Writes the body; for server-sent events it flushes after each.
    @FunctionalInterface
    public interface Body {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Writes the body while a statement runs. The server's time limit holds, as for `/query`; and past 64 KiB the body
    /// needs one of the few places there are for answers that hold one of the store's readers while a client takes
    /// them, until it runs `committed`.
    @FunctionalInterface
    public interface StatementBody extends Body {
        void writeTo(OutputStream out, Runnable committed) throws IOException;

        @Override
        default void writeTo(OutputStream out) throws IOException {
            writeTo(out, () -> {});
        }
    }

    public Response {
        headers = Map.copyOf(headers);
    }

    /// `{"result": value}` with status 200. The value is anything Jackson writes: records, maps, lists, nodes.
    public static Response result(Object value) {
        return Json.envelope(200, "result", value);
    }

    /// `{"result": value}` with another status, such as 201.
    public static Response result(int status, Object value) {
        return Json.envelope(status, "result", value);
    }

    /// `{"error": message}`.
    public static Response error(int status, String message) {
        return Json.envelope(status, "error", message);
    }

    /// JSON that is written while a statement runs, mostly by [Queries#run]. What fails before 64 KiB becomes an error
    /// answer.
    public static Response statement(int status, StatementBody body) {
        return new Response(status, "application/json", Map.of(), body);
    }

    public static Response stream(int status, String contentType, Body body) {
        return new Response(status, contentType, Map.of(), body);
    }
}
