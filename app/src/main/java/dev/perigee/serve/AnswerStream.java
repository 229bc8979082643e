package dev.perigee.serve;

import dev.perigee.fault.Fault;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// An answer's body on its way to a client. A small one is kept until it is complete, so that a failure can still
/// become an error answer and whoever makes the rows never waits for a slow client; a larger one goes out as it comes.
final class AnswerStream extends OutputStream {
    /// The largest body that is kept until it is complete.
    static final int KEPT_BYTES = 64 << 10;

    private static final int FIRST_BYTES = 2 << 10;

    private final Exchange exchange;
    private @Nullable Semaphore largeAnswers;
    private byte[] buffer = new byte[FIRST_BYTES];
    private int length;
    private boolean holdsPermit;

    /// @param largeAnswers how many bodies may go out while they are made; null for no bound
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

    /// Sends what there is, now.
    @Override
    public void flush() throws IOException {
        send();
    }

    /// Sends the end of the body. Without it, the client is told that the answer is not complete.
    void finish() throws IOException {
        release();
        if (!exchange.isCommitted()) exchange.contentLength(length);
        exchange.write(true, ByteBuffer.wrap(buffer, 0, length));
    }

    /// The body is made without one of the store's readers, so however large it is, it needs no permit.
    void holdsNoReader() {
        release();
        largeAnswers = null;
    }

    /// Gives back what a large answer holds. Needed in any case.
    void release() {
        if (holdsPermit && largeAnswers != null) largeAnswers.release();
        holdsPermit = false;
    }

    private void send() throws IOException {
        if (largeAnswers != null && !holdsPermit) {
            if (!largeAnswers.tryAcquire()) {
                throw Fault.BUSY.saying(
                        "Other large answers are on their way; this one has more than %d bytes.".formatted(KEPT_BYTES));
            }
            holdsPermit = true;
        }
        if (length > 0) exchange.write(false, ByteBuffer.wrap(buffer, 0, length));
        length = 0;
    }
}
