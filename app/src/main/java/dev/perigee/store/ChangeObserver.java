package dev.perigee.store;

/// Follows what writes do to the replica's tables, by temporary triggers on the writer's connection. Called on the
/// writer's thread.
///
/// Such triggers know the columns of their table, so SQLite lets no column be dropped that one names: whoever is about
/// to alter a table says so by [Transaction#altering].
public interface ChangeObserver {
    /// Follows nothing.
    ChangeObserver NONE = new ChangeObserver() {};

    /// What the names of its triggers begin with; empty without any. Nobody can guess it, so what a trigger of such a
    /// name does is the observer's own doing, whoever's statement fired it.
    default String triggerPrefix() {
        return "";
    }

    default boolean owns(String trigger) {
        String prefix = triggerPrefix();
        return !prefix.isEmpty() && trigger.startsWith(prefix);
    }

    /// The table is about to be altered in this transaction.
    default void altering(Transaction transaction, String table) {}

    /// The table is about to be dropped in this transaction; the triggers that this connection has on it go with it.
    default void dropping(Transaction transaction, String table) {}

    /// The transaction is about to commit; more may be written in it. What it throws undoes the transaction.
    default void committing(Transaction transaction) {}

    /// What was announced by [#committing] is committed.
    default void committed() {}

    /// A worker process has written, and an observer of its own has recorded the changes; see [AttachedReplica]. Called
    /// in a transaction of the server's writer, after the worker's: the triggers follow what the schema is now, and
    /// nothing is recorded a second time.
    default void wroteElsewhere(Transaction transaction) {}

    /// Rows its triggers have written so far, which are not the doing of whoever's statement fired them.
    default long rowsWritten() {
        return 0;
    }
}
