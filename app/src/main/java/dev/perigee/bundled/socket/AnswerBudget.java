package dev.perigee.bundled.socket;

import dev.perigee.fault.Fault;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.concurrent.Semaphore;

/// Memory held by answers to frames while they are collected; one budget of 16 MiB shared by all sockets.
final class AnswerBudget {
    /// Largest answer in one frame. For more, a client pages, or asks `/query`.
    static final int MAX_ANSWER_BYTES = 4 << 20;

    private static final int PLACE_BYTES = 64 << 10;
    private static final int PLACES = 16 << 20 >> 16;

    private final Semaphore free = new Semaphore(PLACES);

    /// A buffer for one answer. Closing it gives its memory back to the budget.
    Buffer buffer() {
        return new Buffer();
    }

    /// Collects what is written, within the limits.
    final class Buffer extends OutputStream implements AutoCloseable {
        private byte[] bytes = new byte[1024];
        private int length;
        private int held;

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_LARGE] past the answer's limit, [Fault#BUSY] when
        ///     other answers hold the budget
        @Override
        public void write(byte[] from, int offset, int count) {
            long wanted = (long) length + count;
            if (wanted > MAX_ANSWER_BYTES) {
                throw Fault.TOO_LARGE.saying(
                        "The answer has more than %d bytes, the most a frame holds: use LIMIT, or POST /query."
                                .formatted(MAX_ANSWER_BYTES));
            }
            int places = (int) (wanted / PLACE_BYTES);
            if (places > held) {
                if (!free.tryAcquire(places - held)) {
                    throw Fault.BUSY.saying("Other large answers use up the memory for WebSocket answers.");
                }
                held = places;
            }
            if (wanted > bytes.length) {
                bytes = Arrays.copyOf(bytes, (int) Math.min(MAX_ANSWER_BYTES, Math.max(2L * bytes.length, wanted)));
            }
            System.arraycopy(from, offset, bytes, length, count);
            length += count;
        }

        /// The text without its first `skipped` and last `cut` bytes, which are ASCII.
        String text(int skipped, int cut) {
            return new String(bytes, skipped, length - skipped - cut, java.nio.charset.StandardCharsets.UTF_8);
        }

        @Override
        public void close() {
            free.release(held);
            held = 0;
        }
    }
}
