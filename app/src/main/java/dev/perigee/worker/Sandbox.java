package dev.perigee.worker;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.perigee.worker.WorkerProcess.Work.Files;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a worker process gives up before it runs a caller's statement. Linux only, and as far as the kernel supports
/// it. Anything unsupported is skipped, because the server watches time and memory from outside in any case.
///
/// - Processor: the calling thread's nice value is raised by [#NICENESS], unless the server's work waits for it.
/// - Memory: `RLIMIT_DATA`, so that SQLite's allocator fails and the statement ends with an error. No core dumps.
/// - Network and programs: seccomp, on all threads. No new socket, no `execve`, no `ptrace`, no signal to others.
/// - Files: Landlock, on the calling thread. It can open the replica, and read the JDK and the class path; nothing
///   else.
///
/// @see <a href="https://docs.kernel.org/userspace-api/landlock.html">Landlock: unprivileged access control</a>
/// @see <a href="https://docs.kernel.org/userspace-api/seccomp_filter.html">Seccomp BPF</a>
final class Sandbox {
    /// Nice value of a worker's thread. The server's threads are served first. On a busy processor the worker still
    /// gets about a third of the share of a thread with nice value 0.
    private static final int NICENESS = 5;

    private static final int PRIO_PROCESS = 0;
    private static final int RLIMIT_DATA = 2;
    private static final int RLIMIT_CORE = 4;

    /// What the JVM itself may allocate: heap, code, metaspace, stacks.
    private static final long JVM_BYTES = 640L << 20;

    private static final int PR_SET_DUMPABLE = 4;
    private static final int PR_SET_NO_NEW_PRIVS = 38;

    private static final long LANDLOCK_CREATE_RULESET = 444;
    private static final long LANDLOCK_ADD_RULE = 445;
    private static final long LANDLOCK_RESTRICT_SELF = 446;
    private static final long LANDLOCK_VERSION_FLAG = 1;
    private static final long LANDLOCK_RULE_PATH = 1;

    /// All rights of Landlock's ABI version 1: execute, write file, read file, read folder, and making and removing
    /// files of all kinds.
    private static final long LANDLOCK_ALL = (1L << 13) - 1;

    private static final long LANDLOCK_WRITE_FILE = 1L << 1;
    private static final long LANDLOCK_READ_FILE = 1L << 2;
    private static final long LANDLOCK_READ_FOLDER = 1L << 3;
    private static final int O_PATH_CLOEXEC = 0x200000 | 0x80000;

    private static final long SECCOMP_SET_MODE_FILTER = 1;
    private static final long SECCOMP_FILTER_FLAG_TSYNC = 1;
    private static final int SECCOMP_ALLOW = 0x7fff0000;
    private static final int SECCOMP_EPERM = 0x00050001;
    private static final int X32_ABI = 0x40000000;
    private static final short BPF_LOAD_WORD = 0x20;
    private static final short BPF_JUMP_IF_EQUAL = 0x15;
    private static final short BPF_JUMP_IF_GREATER_OR_EQUAL = 0x35;
    private static final short BPF_RETURN = 0x06;
    private static final int SYSCALL_NUMBER_OFFSET = 0;
    private static final int ARCHITECTURE_OFFSET = 4;

    /// System call numbers of one processor architecture.
    ///
    /// @param audit `AUDIT_ARCH_*`
    /// @param seccomp the call that installs the filter
    /// @param denied socket, connect, bind, listen, accept, accept4, socketpair, execve, execveat, ptrace,
    ///     process_vm_readv, process_vm_writev, kill, mount, open_by_handle_at, bpf, keyctl, userfaultfd, fork and
    ///     vfork where they exist, io_uring_setup, pidfd_getfd
    private record Architecture(int audit, long seccomp, int[] denied) {
        static final Architecture AMD64 = new Architecture(0xC000003E, 317, new int[] {
            41, 42, 49, 50, 43, 288, 53, 59, 322, 101, 310, 311, 62, 165, 304, 321, 250, 323, 57, 58, 425, 438
        });
        static final Architecture AARCH64 = new Architecture(0xC00000B7, 277, new int[] {
            198, 203, 200, 201, 202, 242, 199, 221, 281, 117, 270, 271, 129, 40, 265, 280, 219, 282, 425, 438
        });
    }

    private static final Linker LINKER = Linker.nativeLinker();

    private final Arena arena;
    private final Architecture architecture;

    private Sandbox(Arena arena, Architecture architecture) {
        this.arena = arena;
        this.architecture = architecture;
    }

    /// Enters the sandbox, for the calling thread or the process as the class doc says. Does nothing on systems other
    /// than Linux on amd64 and aarch64.
    ///
    /// @param memoryBytes what statements may allocate
    /// @param files the files that the calling thread may still open
    /// @param isUrgent whether the thread keeps its priority
    static void enter(long memoryBytes, Files files, boolean isUrgent) {
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")) return;
        if (!arch.equals("amd64") && !arch.equals("aarch64")) return;
        try (Arena arena = Arena.ofConfined()) {
            Sandbox sandbox = new Sandbox(arena, arch.equals("amd64") ? Architecture.AMD64 : Architecture.AARCH64);
            if (!isUrgent) sandbox.lowerPriority();
            sandbox.limit(RLIMIT_CORE, 0);
            sandbox.limit(RLIMIT_DATA, memoryBytes + JVM_BYTES);
            sandbox.control(PR_SET_DUMPABLE, 0);
            if (sandbox.control(PR_SET_NO_NEW_PRIVS, 1) != 0) return; // Landlock and seccomp both need it.
            sandbox.restrictFiles(files);
            sandbox.restrictCalls();
        }
    }

    /// On Linux this affects the calling thread only.
    private void lowerPriority() {
        long _ = call("setpriority", 0, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT).with(PRIO_PROCESS, 0, NICENESS);
    }

    private void limit(int which, long bytes) {
        MemorySegment limits = arena.allocate(16, 8);
        limits.set(JAVA_LONG, 0, bytes);
        limits.set(JAVA_LONG, 8, bytes);
        long _ = call("setrlimit", 0, JAVA_INT, JAVA_INT, ADDRESS).with(which, limits);
    }

    private long control(int option, long value) {
        return call("prctl", 1, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG)
                .with(option, value, 0L, 0L, 0L);
    }

    private void restrictFiles(Files files) {
        if (systemCall(LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_VERSION_FLAG, 0) < 1) return;
        MemorySegment attributes = arena.allocate(8, 8);
        attributes.set(JAVA_LONG, 0, LANDLOCK_ALL);
        int rules = (int) systemCall(LANDLOCK_CREATE_RULESET, attributes.address(), 8, 0, 0);
        if (rules < 0) return;
        for (Path path : files.readable()) allow(rules, path, LANDLOCK_READ_FILE | LANDLOCK_READ_FOLDER);
        for (Path path : files.writable()) allow(rules, path, LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE);
        long _ = systemCall(LANDLOCK_RESTRICT_SELF, rules, 0, 0, 0);
    }

    private void allow(int rules, Path path, long access) {
        int file = (int) call("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT)
                .with(arena.allocateFrom(path.toString()), O_PATH_CLOEXEC, 0);
        if (file < 0) return; // A missing file needs no rule.
        boolean isFolder = java.nio.file.Files.isDirectory(path);
        MemorySegment beneath = arena.allocate(16, 8);
        beneath.set(JAVA_LONG, 0, isFolder ? access : access & ~LANDLOCK_READ_FOLDER);
        beneath.set(JAVA_INT, 8, file);
        long _ = systemCall(LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH, beneath.address(), 0);
        long _ = call("close", 1, JAVA_INT, JAVA_INT).with(file);
    }

    private void restrictCalls() {
        List<long[]> program = new ArrayList<>();
        int[] denied = architecture.denied();
        int deny = denied.length + 4;
        // Each row: code, jump if true, jump if false, operand. Jumps count from the next instruction.
        program.add(new long[] {BPF_LOAD_WORD, 0, 0, ARCHITECTURE_OFFSET});
        program.add(new long[] {BPF_JUMP_IF_EQUAL, 0, deny - 1, architecture.audit()});
        program.add(new long[] {BPF_LOAD_WORD, 0, 0, SYSCALL_NUMBER_OFFSET});
        program.add(new long[] {BPF_JUMP_IF_GREATER_OR_EQUAL, deny - 3, 0, X32_ABI});
        for (int i = 0; i < denied.length; i++) {
            program.add(new long[] {BPF_JUMP_IF_EQUAL, denied.length - i, 0, denied[i]});
        }
        program.add(new long[] {BPF_RETURN, 0, 0, SECCOMP_ALLOW});
        program.add(new long[] {BPF_RETURN, 0, 0, SECCOMP_EPERM});
        MemorySegment filter = arena.allocate(8L * program.size(), 8);
        for (int i = 0; i < program.size(); i++) {
            long[] step = program.get(i);
            filter.set(ValueLayout.JAVA_SHORT, 8L * i, (short) step[0]);
            filter.set(ValueLayout.JAVA_BYTE, 8L * i + 2, (byte) step[1]);
            filter.set(ValueLayout.JAVA_BYTE, 8L * i + 3, (byte) step[2]);
            filter.set(JAVA_INT, 8L * i + 4, (int) step[3]);
        }
        MemorySegment whole = arena.allocate(16, 8);
        whole.set(ValueLayout.JAVA_SHORT, 0, (short) program.size());
        whole.set(ADDRESS, 8, filter);
        long _ = systemCall(
                architecture.seccomp(), SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, whole.address(), 0);
    }

    private long systemCall(long number, long a, long b, long c, long d) {
        return call("syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG)
                .with(number, a, b, c, d);
    }

    private record Call(MethodHandle handle) {
        long with(Object... arguments) {
            try {
                return ((Number) handle.invokeWithArguments(arguments)).longValue();
            } catch (Throwable e) {
                throw new IllegalStateException("a call into the C library failed", e);
            }
        }
    }

    /// @param fixed how many arguments come before the variadic ones; 0 if the function is not variadic
    @SuppressWarnings("restricted")
    private static Call call(String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
        FunctionDescriptor type = FunctionDescriptor.of(result, arguments);
        MemorySegment address = LINKER.defaultLookup().findOrThrow(name);
        boolean isVariadic = fixed > 0 && fixed < arguments.length;
        return new Call(
                isVariadic
                        ? LINKER.downcallHandle(address, type, Linker.Option.firstVariadicArg(fixed))
                        : LINKER.downcallHandle(address, type));
    }
}
