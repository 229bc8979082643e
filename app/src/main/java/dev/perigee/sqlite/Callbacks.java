package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The callbacks of one connection: the Java methods that SQLite calls. The stub of the authorizer is made once, when
/// first needed, and reads from a field which authorizer to call: making a stub costs as much as a hundred statements.
/// Each SQL function has a stub of its own.
///
/// An exception thrown through C would end the JVM. So it is kept here, and SQLite gets a refusal as the callback's
/// answer if it expects one. The Java call into SQLite then throws the exception after SQLite has returned.
final class Callbacks {
    private static final int DENY = 1;
    private static final int IGNORE = 2;
    private static final FunctionDescriptor FUNCTION = FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT, JAVA_LONG);
    private static final byte[] FUNCTION_FAILED = "the function failed".getBytes(StandardCharsets.UTF_8);

    private final Arena arena;
    private @Nullable MemorySegment authorizerFunction;
    private @Nullable Authorizer authorizer;
    private @Nullable Throwable failure;

    /// @param arena lives as long as the connection and holds the stubs
    Callbacks(Arena arena) {
        this.arena = arena;
    }

    /// Sets the authorizer; null removes it.
    ///
    /// @return SQLite's result code
    int authorizer(long connection, @Nullable Authorizer next) {
        boolean isInstalled = authorizer != null;
        authorizer = next;
        if (next == null) return NativeAuthorizer.set(connection, MemorySegment.NULL);
        if (isInstalled) return ResultCode.OK;
        MemorySegment function = authorizerFunction;
        if (function == null) {
            function = upcall(
                    "authorize",
                    FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
            authorizerFunction = function;
        }
        return NativeAuthorizer.set(connection, function);
    }

    /// Registers an SQL function.
    ///
    /// @return SQLite's result code
    int function(long connection, String name, int argumentCount, int flags, SqliteFunction function) {
        MethodHandle call = MethodHandles.insertArguments(
                bound("call", FUNCTION.toMethodType().insertParameterTypes(0, SqliteFunction.class)), 0, function);
        MemorySegment stub = upcall(call, FUNCTION);
        try (Arena memory = Arena.ofConfined()) {
            long nameAddress = memory.allocateFrom(name).address();
            return NativeFunction.create(connection, nameAddress, argumentCount, flags, 0, stub.address(), 0, 0, 0);
        }
    }

    /// Returns what a callback has thrown since the last call, and forgets it; null if nothing was thrown.
    @Nullable
    Throwable takeFailure() {
        Throwable taken = failure;
        failure = null;
        return taken;
    }

    /// Throws what a callback has thrown since the last call, if anything.
    void rethrow() {
        if (failure == null) return;
        switch (takeFailure()) {
            case RuntimeException thrown -> throw thrown;
            case Error thrown -> throw thrown;
            case null, default -> throw new IllegalStateException("a callback threw what it cannot throw");
        }
    }

    // The methods that SQLite calls. upcall() looks them up by name.

    int authorize(long unused, int action, long arg1, long arg2, long database, long trigger) {
        Authorizer asked = authorizer;
        if (asked == null) return ResultCode.OK;
        try {
            return switch (asked.authorize(
                    action,
                    NativeLibrary.string(arg1),
                    NativeLibrary.string(arg2),
                    NativeLibrary.string(database),
                    NativeLibrary.string(trigger))) {
                case OK -> ResultCode.OK;
                case DENY -> DENY;
                case IGNORE -> IGNORE;
            };
        } catch (Throwable t) {
            keep(t);
            return DENY;
        }
    }

    void call(SqliteFunction function, long context, int argumentCount, long arguments) {
        try {
            List<Value> values = new ArrayList<>(argumentCount);
            for (int i = 0; i < argumentCount; i++) {
                values.add(NativeValue.read(NativeLibrary.MEMORY.get(JAVA_LONG, arguments + 8L * i)));
            }
            NativeValue.result(context, function.call(values));
        } catch (Throwable t) {
            keep(t);
            NativeFunction.resultError(context, FUNCTION_FAILED);
        }
    }

    private void keep(Throwable thrown) {
        if (failure == null) {
            failure = thrown;
        } else if (failure != thrown) {
            failure.addSuppressed(thrown);
        }
    }

    private MemorySegment upcall(String method, FunctionDescriptor descriptor) {
        return upcall(bound(method, descriptor.toMethodType()), descriptor);
    }

    @SuppressWarnings("restricted")
    private MemorySegment upcall(MethodHandle handle, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().upcallStub(handle, descriptor, arena);
    }

    private MethodHandle bound(String method, MethodType type) {
        try {
            return MethodHandles.lookup().bind(this, method, type);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no method " + method + " of type " + type, e);
        }
    }
}
