package dev.perigee.config;

/// The worker processes that run clients' statements.
///
/// @param size how many that read may run at once; one that writes comes on top
/// @param memoryBytes what one worker's statement may allocate
/// @param forAdmins whether admins' statements run in workers too
public record WorkerConfig(int size, long memoryBytes, boolean forAdmins) {
    public static final int MAX_SIZE = 64;

    private static final int MIN_DEFAULT_SIZE = 4;
    private static final int MAX_DEFAULT_SIZE = 8;
    private static final long MEMORY_BYTES = 512L << 20;

    /// Resident memory of a worker's JVM before any statement, and what its code and classes grow to.
    private static final long JVM_BYTES = 160L << 20;

    private static final long MAX_HEAP_BYTES = 256L << 20;

    /// As many as there are processors, 4 to 8: one caller may hold all but one.
    public static WorkerConfig defaults() {
        int processors = Runtime.getRuntime().availableProcessors();
        return new WorkerConfig(Math.clamp(processors, MIN_DEFAULT_SIZE, MAX_DEFAULT_SIZE), MEMORY_BYTES, false);
    }

    /// The Java heap of a worker: a request's text and parameters, but none of its answer.
    public long heapBytes() {
        return Math.min(MAX_HEAP_BYTES, memoryBytes);
    }

    /// Past this resident memory a worker is killed.
    public long maxResidentBytes() {
        return JVM_BYTES + memoryBytes;
    }

    /// An idle worker that holds more resident memory is replaced.
    public long retireBytes() {
        return JVM_BYTES + memoryBytes / 4;
    }
}
