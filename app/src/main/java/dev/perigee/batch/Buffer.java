package dev.perigee.batch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Native memory that grows by doubling. One thread uses it at a time; it may be handed from thread to thread.
// The arenas live as long as the buffer and are closed by replace() and close().
@SuppressWarnings("MustBeClosedChecker")
final class Buffer implements AutoCloseable {
    private static final long ALIGNMENT = 16;

    private final long firstBytes;
    private Arena arena;
    private MemorySegment segment;

    Buffer(long firstBytes) {
        this.firstBytes = firstBytes;
        this.arena = Arena.ofShared();
        this.segment = arena.allocate(firstBytes, ALIGNMENT);
    }

    MemorySegment segment() {
        return segment;
    }

    long size() {
        return segment.byteSize();
    }

    /// Makes the memory at least `bytes` long and keeps the first `used` bytes. Segments taken before become invalid if
    /// it grows.
    void reserve(long bytes, long used) {
        if (bytes <= segment.byteSize()) return;
        replace(Math.max(bytes, 2 * segment.byteSize()), used);
    }

    /// Returns to the first size and drops the contents.
    void restart() {
        replace(firstBytes, 0);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) arena.close();
    }

    private void replace(long bytes, long used) {
        Arena next = Arena.ofShared();
        MemorySegment larger = next.allocate(bytes, ALIGNMENT);
        MemorySegment.copy(segment, 0, larger, 0, used);
        arena.close();
        arena = next;
        segment = larger;
    }
}
