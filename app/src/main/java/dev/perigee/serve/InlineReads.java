package dev.perigee.serve;

import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.JsonAnswer;
import dev.perigee.plugin.QueryBody;
import dev.perigee.query.QueryEngine;
import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.Caller;
import dev.perigee.statement.Query;
import dev.perigee.statement.StatementCall.Where;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers point reads of `POST /query` and `/query/raw` on the selector thread, which reads from the connections.
/// Starting a thread for the request, and handing the read to a reader and back, cost several times the read itself.
///
/// A request that does not qualify, or is wrong in any way, is left to the normal path, which takes every request.
final class InlineReads {
    /// The longest body that qualifies.
    private static final int MAX_BODY_BYTES = 16 << 10;

    private static final byte[] NOTHING = {};
    private static final Logger LOG = LoggerFactory.getLogger(InlineReads.class);

    /// The answer has more than [AnswerStream#KEPT_BYTES].
    private static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1;

        TooLarge() {
            super(null, null, false, false);
        }
    }

    /// @param freshness empty if the statement reads no copy
    record Answer(ByteBuffer body, Optional<AnswerFreshness> freshness) {}

    private final QueryEngine engine;
    private final FreshnessHeaders freshness;
    private final Authentication authentication;
    private final long maxBodyBytes;

    /// @param maxBodyBytes the limit for the body of any request
    /// @param freshness reads the headers about freshness
    InlineReads(QueryEngine engine, Authentication authentication, long maxBodyBytes, FreshnessHeaders freshness) {
        this.freshness = freshness;
        this.engine = engine;
        this.authentication = authentication;
        this.maxBodyBytes = Math.min(maxBodyBytes, MAX_BODY_BYTES);
    }

    /// The caller, if the request may be a point read and has the admin's or the client's token; otherwise empty.
    Optional<Caller> caller(Request request) {
        if (!isQuery(request)) return Optional.empty();
        HttpFields headers = request.getHeaders();
        long length = request.getLength();
        if (length <= 0 || length > maxBodyBytes) return Optional.empty();
        if (!"application/json".equals(headers.get(HttpHeader.CONTENT_TYPE))) return Optional.empty();
        if (headers.contains("X-Starbase-Source") || headers.contains(HttpHeader.EXPECT)) return Optional.empty();
        return authentication.byToken(headers.get(HttpHeader.AUTHORIZATION));
    }

    private static boolean isQuery(Request request) {
        @Nullable String path = request.getHttpURI().getPath();
        return request.getMethod().equals("POST")
                && path != null
                && (path.equals("/query") || path.equals("/query/raw"))
                && request.getHttpURI().getQuery() == null;
    }

    /// The part of the body that has arrived. Does not wait for more.
    static byte[] body(Request request) {
        byte[] body = NOTHING;
        while (true) {
            Content.Chunk chunk = request.read();
            if (chunk == null) return body;
            // The next read returns a final failure again.
            if (Content.Chunk.isFailure(chunk)) return body;
            ByteBuffer bytes = chunk.getByteBuffer();
            int before = body.length;
            body = Arrays.copyOf(body, before + bytes.remaining());
            bytes.get(body, before, body.length - before);
            chunk.release();
            if (chunk.isLast()) return body;
        }
    }

    /// The query in the body, if the body is complete and has a single statement; otherwise empty.
    Optional<Query> query(Request request, byte[] body, Caller caller) {
        if (body.length != request.getLength()) return Optional.empty();
        try {
            QueryBody.Parsed parsed = QueryBody.parse(body, 1);
            if (parsed.isTransaction()) return Optional.empty();
            boolean isRaw = request.getHttpURI().getPath().endsWith("/raw");
            return Optional.of(new Query(parsed.statements(), Where.INTERNAL, isRaw, caller)
                    .with(freshness.demand(request.getHeaders())));
        } catch (PerigeeException _) {
            return Optional.empty(); // The normal path says what is wrong.
        }
    }

    /// Runs a point read.
    ///
    /// @return the answer, or empty if the normal path has to be taken
    Optional<Answer> read(Query query) {
        Kept out = new Kept();
        JsonAnswer answer = new JsonAnswer(out, out, query.isRaw(), false);
        try {
            if (!engine.tryHere(query, answer)) return Optional.empty();
            answer.finish();
            return Optional.of(new Answer(out.bytes(), Optional.ofNullable(out.freshness)));
        } catch (TooLarge _) {
            engine.isLarge(query);
        } catch (PerigeeException _) {
            // It fails on the normal path too, which says why.
        } catch (RuntimeException e) {
            LOG.warn("A point read failed unexpectedly", e);
        }
        return Optional.empty();
    }

    /// Buffers a small answer.
    private static final class Kept extends OutputStream implements AnswerEvents {
        private @Nullable AnswerFreshness freshness;
        private byte[] buffer = new byte[1 << 10];
        private int length;

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int count) {
            if (length + count > AnswerStream.KEPT_BYTES) throw new TooLarge();
            if (length + count > buffer.length) {
                buffer = Arrays.copyOf(buffer, Math.max(2 * buffer.length, length + count));
            }
            System.arraycopy(bytes, offset, buffer, length, count);
            length += count;
        }

        @Override
        public void fresh(AnswerFreshness found) {
            freshness = found;
        }

        ByteBuffer bytes() {
            return ByteBuffer.wrap(buffer, 0, length);
        }
    }
}
