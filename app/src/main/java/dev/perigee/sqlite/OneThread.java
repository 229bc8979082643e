package dev.perigee.sqlite;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Checks that only one thread at a time is inside a connection and its statements. A connection may be handed from
/// thread to thread; two threads inside at once are a mistake of ours and throw [IllegalStateException].
///
/// Calls that can take long ([#enter]) are guarded by a compare-and-set, so a second thread is always detected while
/// one of them runs. Calls of a few nanoseconds ([#touch]), about ten per row, only set a mark and check it at their
/// end. That costs about one nanosecond instead of six. It detects every overlap with a long call, and nearly every
/// overlap of two short ones.
final class OneThread {
    private static final VarHandle INSIDE;

    static {
        try {
            INSIDE = MethodHandles.lookup().findVarHandle(OneThread.class, "inside", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile @Nullable Thread inside;

    /// Begins a long call.
    ///
    /// @return to be passed to [#leave]: this thread if it was already inside, as in a callback; else null
    /// @throws IllegalStateException if another thread is inside
    @Nullable
    Thread enter() {
        Thread me = Thread.currentThread();
        Thread before = (Thread) INSIDE.compareAndExchange(this, (Thread) null, me);
        if (before != null && before != me) throw misuse(before, me);
        return before;
    }

    /// Ends a call.
    ///
    /// @param before what [#enter] or [#touch] returned
    /// @throws IllegalStateException if another thread was inside meanwhile
    void leave(@Nullable Thread before) {
        Thread me = Thread.currentThread();
        Thread now = (Thread) INSIDE.getOpaque(this);
        if (now != me) throw misuse(now, me);
        INSIDE.setRelease(this, before);
    }

    /// Begins a short call, which ends with [#leave].
    ///
    /// @return to be passed to [#leave], as from [#enter]
    /// @throws IllegalStateException if another thread is inside
    @Nullable
    Thread touch() {
        Thread me = Thread.currentThread();
        Thread before = (Thread) INSIDE.getOpaque(this);
        if (before != null && before != me) throw misuse(before, me);
        INSIDE.setOpaque(this, me);
        return before;
    }

    private static IllegalStateException misuse(@Nullable Thread other, Thread me) {
        return new IllegalStateException("two threads are inside one SQLite connection: %s and %s"
                .formatted(other == null ? "a thread that has left" : other.getName(), me.getName()));
    }
}
