package dev.perigee.store;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What the server's writer keeps up while another process writes: see [Store#lendWriter]. For the writer thread, while
/// the turn lasts.
public final class WriterLease {
    /// Lets another process write, and returns when it has committed or given up.
    @FunctionalInterface
    public interface Turn<T extends @Nullable Object> {
        @Nullable
        T run(WriterLease lease);
    }

    private final LongSupplier dataVersion;
    private final OpenTransaction transaction;
    private final ChangeObserver observer;
    private final long versionBefore;
    private boolean isAltered;

    WriterLease(LongSupplier dataVersion, OpenTransaction transaction, ChangeObserver observer) {
        this.dataVersion = dataVersion;
        this.transaction = transaction;
        this.observer = observer;
        this.versionBefore = dataVersion.getAsLong();
    }

    /// Whether somebody follows changes, so that the other process has to record them.
    public boolean isFollowed() {
        return observer != ChangeObserver.NONE;
    }

    /// Whether another process has committed since the turn began. To be asked when the process is done or dead.
    public boolean hasCommitted() {
        return dataVersion.getAsLong() != versionBefore;
    }

    /// The other process is about to alter or drop `table`: triggers that this connection has on it go away.
    public void altering(String table) {
        isAltered = true;
        transaction.alteringElsewhere(observer, table);
    }

    ChangeObserver observer() {
        return observer;
    }

    boolean mayHaveWritten() {
        return isAltered || hasCommitted();
    }
}
