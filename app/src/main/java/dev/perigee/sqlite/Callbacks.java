package dev.perigee.sqlite;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.perigee.sqlite.SqliteConnection.Authorizer;
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

/// The functions of one connection that SQLite calls back. Each is made once, when first needed, and looks at a field
/// for what to do: making one costs as much as a hundred statements.
///
/// Nothing may be thrown through C: that would end the JVM. What a callback throws is kept here, SQLite is told "no"
/// where it asks, and the call that SQLite was in throws it afterwards.
final class Callbacks {
    private static final int DENY = 1;
    private static final int IGNORE = 2;
    private static final FunctionDescriptor FUNCTION = FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT, JAVA_LONG);
    private static final byte[] FUNCTION_FAILED = "the function failed".getBytes(StandardCharsets.UTF_8);

    private final Arena arena;
    private @Nullable MemorySegment authorizerFunction;
    private @Nullable Authorizer authorizer;
    private @Nullable MemorySegment commitFunction;
    private @Nullable MemorySegment rollbackFunction;
    private @Nullable MemorySegment updateFunction;
    private @Nullable SqliteHooks hooks;
    private @Nullable Throwable failure;

    /// @param arena that lives as long as the connection
    Callbacks(Arena arena) {
        this.arena = arena;
    }

    /// @return SQLite's result code
    int authorizer(long connection, @Nullable Authorizer next) {
        boolean isInstalled = authorizer != null;
        authorizer = next;
        if (next == null) return NativeHooks.authorizer(connection, MemorySegment.NULL);
        if (isInstalled) return ResultCode.OK;
        MemorySegment function = authorizerFunction;
        if (function == null) {
            function = upcall(
                    "authorize",
                    FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
            authorizerFunction = function;
        }
        return NativeHooks.authorizer(connection, function);
    }

    void hooks(long connection, @Nullable SqliteHooks next) {
        hooks = next;
        if (next == null) {
            NativeHooks.commit(connection, MemorySegment.NULL);
            NativeHooks.rollback(connection, MemorySegment.NULL);
            NativeHooks.update(connection, MemorySegment.NULL);
            return;
        }
        if (commitFunction == null || rollbackFunction == null || updateFunction == null) {
            commitFunction = upcall("commit", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
            rollbackFunction = upcall("rollback", FunctionDescriptor.ofVoid(JAVA_LONG));
            updateFunction =
                    upcall("update", FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG));
        }
        NativeHooks.commit(connection, commitFunction);
        NativeHooks.rollback(connection, rollbackFunction);
        NativeHooks.update(connection, updateFunction);
    }

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

    /// What a callback threw since the last look, if anything; the look forgets it.
    @Nullable
    Throwable takeFailure() {
        Throwable taken = failure;
        failure = null;
        return taken;
    }

    /// Throws what a callback threw since the last look, if anything.
    void rethrow() {
        if (failure == null) return;
        switch (takeFailure()) {
            case RuntimeException thrown -> throw thrown;
            case Error thrown -> throw thrown;
            case null, default -> throw new IllegalStateException("a callback threw what it cannot throw");
        }
    }

    // What SQLite calls, looked up by name in upcall().

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

    int commit(long unused) {
        SqliteHooks told = hooks;
        if (told == null) return 0;
        try {
            return told.beforeCommit() ? 0 : 1;
        } catch (Throwable t) {
            keep(t);
            return 1;
        }
    }

    void rollback(long unused) {
        SqliteHooks told = hooks;
        if (told == null) return;
        try {
            told.rolledBack();
        } catch (Throwable t) {
            keep(t);
        }
    }

    void update(long unused, int action, long database, long table, long rowid) {
        SqliteHooks told = hooks;
        if (told == null) return;
        try {
            SqliteHooks.Change change = switch (action) {
                case AuthorizerAction.INSERT -> SqliteHooks.Change.INSERT;
                case AuthorizerAction.DELETE -> SqliteHooks.Change.DELETE;
                default -> SqliteHooks.Change.UPDATE;
            };
            told.changed(
                    change,
                    String.valueOf(NativeLibrary.string(database)),
                    String.valueOf(NativeLibrary.string(table)),
                    rowid);
        } catch (Throwable t) {
            keep(t);
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
