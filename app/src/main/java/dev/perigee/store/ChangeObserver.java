package dev.perigee.store;

/// Records what writes change in the replica's tables, by temporary triggers on the write connection. Called on the
/// thread that owns that connection: the server's writer thread, or a worker process's thread ([AttachedReplica]).
///
/// Such a trigger names its table's columns, and SQLite refuses to drop a column that a trigger names. So
/// [Transaction#altering] must be called before a table is altered.
public interface ChangeObserver {
    /// Records nothing.
    ChangeObserver NONE = new ChangeObserver() {};

    /// The prefix of the names of this observer's triggers; empty if it has none. The prefix is unguessable, so what a
    /// trigger with this prefix does is attributed to the observer, not to the caller whose statement fired it.
    default String triggerPrefix() {
        return "";
    }

    default boolean owns(String trigger) {
        String prefix = triggerPrefix();
        return !prefix.isEmpty() && trigger.startsWith(prefix);
    }

    /// The table is about to be altered in this transaction.
    default void altering(Transaction transaction, String table) {}

    /// The table is about to be dropped in this transaction. SQLite drops this connection's triggers on it too.
    default void dropping(Transaction transaction, String table) {}

    /// The transaction is about to commit. The observer may still write in it. An exception from here rolls the
    /// transaction back.
    default void committing(Transaction transaction) {}

    /// The transaction that was passed to [#committing] has been committed.
    default void committed() {}

    /// A worker process has committed a write, and its own observer has recorded the changes (see [AttachedReplica]).
    /// Called in a later transaction of the server's writer. The observer adapts its triggers to the current schema and
    /// records nothing a second time.
    default void wroteElsewhere(Transaction transaction) {}

    /// How many rows this observer's triggers have written so far. They are not counted as written by the statement
    /// that fired the triggers.
    default long rowsWritten() {
        return 0;
    }
}
