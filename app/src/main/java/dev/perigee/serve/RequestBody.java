package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.Json;
import dev.perigee.plugin.QueryBody;
import dev.perigee.query.external.MemoryBudget;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Duration;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.JsonNode;

/// The body of one request, read by the thread that handles the request. [#isSlow] may be called by another thread.
final class RequestBody {
    private static final Logger LOG = LoggerFactory.getLogger(RequestBody.class);

    /// How long a body may arrive at any rate before its rate counts.
    private static final Duration BODY_GRACE = Duration.ofSeconds(5);

    private static final int BODY_CHUNK_BYTES = 16 << 10;

    /// How much more than the limit is read of a body before it is refused. A client that reads no answer before it has
    /// sent everything can then see the refusal.
    private static final long DRAIN_BYTES = 64L << 20;

    /// Memory that a node of a JSON tree takes, including its place in its parent.
    private static final long NODE_BYTES = 100;

    private final Request request;
    private final byte[] taken;
    private final long bytesBefore;

    /// When the body began to be read; 0 before.
    private volatile long readingSinceNanos;

    /// @param taken the beginning of the body, which has been read already
    RequestBody(Request request, byte[] taken) {
        this.request = request;
        this.taken = taken;
        this.bytesBefore = bytesIn();
    }

    boolean isThere() {
        return request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING) || request.getLength() > 0;
    }

    /// Marks the time from which its rate counts.
    void begins() {
        readingSinceNanos = System.nanoTime();
    }

    /// Whether it has begun to be read, and has arrived at less than the given rate.
    boolean isSlow(int leastBytesPerSecond) {
        if (readingSinceNanos == 0) return false;
        long counted = Duration.ofNanos(System.nanoTime() - readingSinceNanos)
                .minus(BODY_GRACE)
                .toSeconds();
        long bytes = bytesIn() - bytesBefore + taken.length;
        return counted > 0 && isThere() && bytes < counted * leastBytesPerSecond;
    }

    /// Reads the whole body.
    ///
    /// @param memory the reservation that counts the body
    /// @throws PerigeeException [Fault#TOO_LARGE] if it has more than `maxBytes`, [Fault#INVALID_REQUEST] if it breaks
    ///     off, [Fault#BUSY] if there is no memory for it or no place for the request
    byte[] read(long maxBytes, MemoryBudget.Reservation memory) {
        begins();
        try (InputStream in = stream()) {
            long declared = request.getLength();
            if (declared == 0) return new byte[0];
            ByteArrayOutputStream body = new ByteArrayOutputStream(Math.clamp(declared, 512, BODY_CHUNK_BYTES));
            byte[] chunk = new byte[Math.clamp(declared < 0 ? BODY_CHUNK_BYTES : declared, 1, BODY_CHUNK_BYTES)];
            long total = 0;
            for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                total += read;
                if (total > maxBytes || declared > maxBytes) {
                    if (total > maxBytes + DRAIN_BYTES) break;
                    continue;
                }
                memory.grow(3L * read); // The growing buffer, the final array, and what is parsed.
                body.write(chunk, 0, read);
            }
            if (total > maxBytes || declared > maxBytes) {
                throw Fault.TOO_LARGE.saying("The body has more than %d bytes.".formatted(maxBytes));
            }
            return body.toByteArray();
        } catch (IOException e) {
            LOG.debug("A body could not be read", e);
            throw Fault.INVALID_REQUEST.saying("The body could not be read to its end.");
        }
    }

    private InputStream stream() {
        InputStream rest = Content.Source.asInputStream(request);
        return taken.length == 0 ? rest : new SequenceInputStream(new ByteArrayInputStream(taken), rest);
    }

    /// Parses a body to a tree. The nodes may take many times the memory of their text, so they are counted before any
    /// is made.
    static JsonNode json(byte[] body, MemoryBudget.Reservation memory) {
        try {
            memory.grow(NODE_BYTES * tokens(body));
            return Json.MAPPER.readTree(body);
        } catch (JacksonException e) {
            throw QueryBody.notJson(e);
        }
    }

    private static long tokens(byte[] body) {
        long count = 0;
        try (JsonParser parser = Json.MAPPER.createParser(body)) {
            while (parser.nextToken() != null) count++;
        }
        return count;
    }

    private long bytesIn() {
        return request.getConnectionMetaData().getConnection().getBytesIn();
    }
}
