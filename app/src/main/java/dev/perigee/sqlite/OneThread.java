package dev.perigee.sqlite;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// Sees to it that one thread at a time is inside a connection and its statements. A connection may be handed from
/// thread to thread; two inside at once is a mistake of ours and throws.
///
/// Calls that can take long ([#enter]) are guarded by a compare-and-set, so that a second thread is always found out
/// while one of them runs. Calls of a few nanoseconds ([#touch]), of which there are ten to a row, only leave a mark
/// and look at it again: that costs about a nanosecond instead of six, finds every overlap with a long call, and an
/// overlap of two short ones nearly always.
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
    /// @return for [#leave]: this thread if it was inside already, which is so in callbacks, else null
    @Nullable
    Thread enter() {
        Thread me = Thread.currentThread();
        Thread before = (Thread) INSIDE.compareAndExchange(this, (Thread) null, me);
        if (before != null && before != me) throw misuse(before, me);
        return before;
    }

    /// Ends a call; `before` is what its beginning returned.
    void leave(@Nullable Thread before) {
        Thread me = Thread.currentThread();
        Thread now = (Thread) INSIDE.getOpaque(this);
        if (now != me) throw misuse(now, me);
        INSIDE.setRelease(this, before);
    }

    /// Begins a short call; it ends with [#leave].
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
                .formatted(other == null ? "one that has left" : other.getName(), me.getName()));
    }
}
