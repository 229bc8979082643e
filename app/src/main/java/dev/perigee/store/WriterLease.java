package dev.perigee.store;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// What the server's writer offers while another process writes; see [Store#lendWriter]. Only on the writer thread, and
/// only during the turn.
public final class WriterLease {
    /// Lets another process write. Returns when that process has committed or given up.
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

    /// Whether changes are being recorded, so that the other process must record its own.
    public boolean isFollowed() {
        return observer != ChangeObserver.NONE;
    }

    /// Whether another process has committed since the turn began. Call it when the process is done or dead.
    public boolean hasCommitted() {
        return dataVersion.getAsLong() != versionBefore;
    }

    /// Called when the other process is about to alter or drop `table`: removes the triggers that this connection has
    /// on it.
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
