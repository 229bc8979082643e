package dev.perigee.config;

/// Settings of the worker processes, which run clients' statements.
///
/// @param size the most reading workers at once; there is one writing worker in addition
/// @param memoryBytes memory that a statement may use in its worker
/// @param forAdmins whether admins' statements run in workers too
public record WorkerConfig(int size, long memoryBytes, boolean forAdmins) {
    public static final int MAX_SIZE = 64;

    private static final int MIN_DEFAULT_SIZE = 4;
    private static final int MAX_DEFAULT_SIZE = 8;
    private static final long MEMORY_BYTES = 512L << 20;

    /// Resident memory of a worker's JVM before any statement, with room for its code and classes to grow.
    private static final long JVM_BYTES = 160L << 20;

    private static final long MAX_HEAP_BYTES = 256L << 20;

    /// As many workers as processors, but 4 to 8: one caller may use all of them but one.
    public static WorkerConfig defaults() {
        int processors = Runtime.getRuntime().availableProcessors();
        return new WorkerConfig(Math.clamp(processors, MIN_DEFAULT_SIZE, MAX_DEFAULT_SIZE), MEMORY_BYTES, false);
    }

    /// The Java heap of a worker. It holds a request's text and parameters; answers are not kept in it.
    public long heapBytes() {
        return Math.min(MAX_HEAP_BYTES, memoryBytes);
    }

    /// Resident memory above which a worker is killed.
    public long maxResidentBytes() {
        return JVM_BYTES + memoryBytes;
    }

    /// Resident memory from which on an idle worker is replaced.
    public long retireBytes() {
        return JVM_BYTES + memoryBytes / 4;
    }
}
