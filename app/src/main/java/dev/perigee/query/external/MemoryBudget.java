package dev.perigee.query.external;

import dev.perigee.fault.Fault;
import java.util.concurrent.atomic.AtomicLong;

/// One memory budget for all large requests, rows and collected answers, so that many at once cannot exhaust the heap.
/// Safe for many threads. Nobody waits: what does not fit is refused.
public final class MemoryBudget {
    private final long limitBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    public MemoryBudget(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    /// A quarter of the heap.
    public static MemoryBudget ofHeap() {
        return new MemoryBudget(Runtime.getRuntime().maxMemory() / 4);
    }

    /// Starts a reservation, a part of the budget that grows as needed and is given back when closed. For one thread at
    /// a time.
    ///
    /// @param what what needs the memory; the subject of a refusal's message
    public Reservation reserve(String what) {
        return new Reservation(what);
    }

    public long usedBytes() {
        return usedBytes.get();
    }

    public final class Reservation implements AutoCloseable {
        private final String what;
        private long heldBytes;

        private Reservation(String what) {
            this.what = what;
        }

        /// Takes more bytes from the budget.
        ///
        /// @throws dev.perigee.fault.PerigeeException [Fault#TOO_LARGE] if the reservation could never fit,
        ///     [Fault#BUSY] if it does not fit now; nothing was taken then
        public void grow(long bytes) {
            if (heldBytes + bytes > limitBytes) {
                throw Fault.TOO_LARGE.saying("%s needs more than %d bytes of memory, a quarter of the server's heap."
                        .formatted(what, limitBytes));
            }
            if (usedBytes.addAndGet(bytes) > limitBytes) {
                usedBytes.addAndGet(-bytes);
                throw Fault.BUSY.saying("%s does not fit into memory next to the other requests now.".formatted(what));
            }
            heldBytes += bytes;
        }

        @Override
        public void close() {
            giveBack();
        }

        /// Gives everything back. The reservation may grow again.
        public void giveBack() {
            usedBytes.addAndGet(-heldBytes);
            heldBytes = 0;
        }
    }
}
