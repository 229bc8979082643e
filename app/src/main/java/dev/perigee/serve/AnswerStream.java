package dev.perigee.serve;

import dev.perigee.fault.Fault;
import dev.perigee.statement.AnswerEvents;
import dev.perigee.statement.AnswerFreshness;
import dev.perigee.statement.FreshnessToken;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// The body of an answer. A small body is buffered until it is complete. So a failure can still become an error answer,
/// and the thread that produces the rows never waits for a slow client. A larger body is sent while it is produced.
final class AnswerStream extends OutputStream implements AnswerEvents {
    /// The largest body that is buffered until it is complete.
    static final int KEPT_BYTES = 64 << 10;

    private static final int TAG_BYTES = 18;
    private static final int FIRST_BYTES = 2 << 10;

    private final Exchange exchange;
    private @Nullable Semaphore largeAnswers;
    private byte[] buffer = new byte[FIRST_BYTES];
    private int length;
    private boolean holdsPermit;

    /// @param largeAnswers permits for bodies that are sent while they are produced; null for no limit
    AnswerStream(Exchange exchange, @Nullable Semaphore largeAnswers) {
        this.exchange = exchange;
        this.largeAnswers = largeAnswers;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
        if (length + count > KEPT_BYTES) send();
        if (count > KEPT_BYTES) {
            exchange.write(false, ByteBuffer.wrap(bytes, offset, count));
            return;
        }
        if (length + count > buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.min(KEPT_BYTES, Math.max(2 * buffer.length, length + count)));
        }
        System.arraycopy(bytes, offset, buffer, length, count);
        length += count;
    }

    /// Sends now what is buffered, however little. The body then counts as large.
    @Override
    public void flush() throws IOException {
        send();
    }

    /// Sends the rest of the body and ends it. Without this call, the client sees that the answer is incomplete.
    void finish() throws IOException {
        release();
        if (!exchange.isCommitted()) {
            if (exchange.isCacheable() && isKnown()) {
                exchange.empty(304);
                return;
            }
            exchange.contentLength(length);
        }
        exchange.write(true, ByteBuffer.wrap(buffer, 0, length));
    }

    /// Adds the tag of the whole body.
    ///
    /// @return whether the client says that it has this body
    private boolean isKnown() {
        String tag = tag();
        exchange.responseHeader("ETag", tag);
        return exchange.header("If-None-Match")
                .filter(header -> isIn(header, tag))
                .isPresent();
    }

    /// The `ETag`, made from the bytes of the body.
    ///
    /// The copies' positions would not do: rows of a copy also change between two positions, by the pages of a sync, a
    /// repair or an admin. Two callers may also see different rows of the same copy.
    ///
    /// @see <a href="https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3">RFC 9110, section 8.8.3</a>
    private String tag() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(buffer, 0, length);
            return '"' + Base64.getUrlEncoder().encodeToString(Arrays.copyOf(digest.digest(), TAG_BYTES)) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /// Whether a header `If-None-Match` names the tag.
    private static boolean isIn(String header, String tag) {
        for (String part : header.split(",")) {
            String known = part.strip();
            if (known.equals("*") || known.equals(tag) || known.equals("W/" + tag)) return true;
        }
        return false;
    }

    @Override
    public void fresh(AnswerFreshness freshness) {
        exchange.fresh(freshness);
    }

    @Override
    public void wrote(FreshnessToken token) {
        exchange.wrote(token);
    }

    /// To be called when the rest of the body is produced without one of the store's readers. The body then needs no
    /// permit, however large it is.
    @Override
    public void committed() {
        release();
        largeAnswers = null;
    }

    /// Gives back the permit of a large body, if it holds one. Must be called in any case, also after a failure.
    void release() {
        if (holdsPermit && largeAnswers != null) largeAnswers.release();
        holdsPermit = false;
    }

    private void send() throws IOException {
        if (largeAnswers != null && !holdsPermit) {
            if (!largeAnswers.tryAcquire()) {
                throw Fault.BUSY.saying(
                        "Too many answers of more than %d bytes are being sent: send the request again later."
                                .formatted(KEPT_BYTES));
            }
            holdsPermit = true;
        }
        if (length > 0) exchange.write(false, ByteBuffer.wrap(buffer, 0, length));
        length = 0;
    }
}
