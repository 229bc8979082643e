package dev.perigee.plugin;

import dev.perigee.statement.AnswerEvents;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Map;

/// An answer. Its body is written on a thread that may block. If writing fails after the first byte was sent, the
/// connection is closed without a proper end. So the client cannot mistake the body for a complete one.
public record Response(int status, String contentType, Map<String, String> headers, Body body) {
    /// Writes the body. For server-sent events, it must flush after each event.
    @FunctionalInterface
    public interface Body {
        void writeTo(OutputStream out) throws IOException;
    }

    /// Writes the body while a statement runs, within the server's time limit, as for `/query`.
    ///
    /// A body past 64 KiB is sent while the statement still occupies one of the store's readers. Few answers may do
    /// that at once; a further one fails with `BUSY`. The limit no longer applies once the body has called
    /// [AnswerEvents#committed].
    @FunctionalInterface
    public interface StatementBody extends Body {
        void writeTo(OutputStream out, AnswerEvents events) throws IOException;

        @Override
        default void writeTo(OutputStream out) throws IOException {
            writeTo(out, AnswerEvents.NONE);
        }
    }

    public Response {
        headers = Map.copyOf(headers);
    }

    /// `{"result": value}` with status 200. The value is anything that Jackson can write: records, maps, lists, nodes.
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

    /// JSON that is written while a statement runs, usually by [Queries#run]. A failure within the first 64 KiB becomes
    /// an error answer.
    public static Response statement(int status, StatementBody body) {
        return new Response(status, "application/json", Map.of(), body);
    }

    public static Response stream(int status, String contentType, Body body) {
        return new Response(status, contentType, Map.of(), body);
    }
}
