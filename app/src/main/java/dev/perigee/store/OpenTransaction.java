package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The [Transaction] that is passed to work. There is one object per connection; it can be used only while work runs.
final class OpenTransaction implements Transaction {
    private final String where;
    private final SqliteConnection connection;
    private final StatementCache statements;
    private final TimeGuard guard;
    private final Supplier<ChangeObserver> observer;
    private final Runnable copyChanged;
    private boolean isOpen;

    OpenTransaction(String where, SqliteConnection connection, StatementCache statements, TimeGuard guard) {
        this(where, connection, statements, guard, () -> ChangeObserver.NONE, () -> {});
    }

    /// @param observer gives the current observer of writes
    /// @param copyChanged called when a write has changed a copy
    OpenTransaction(
            String where,
            SqliteConnection connection,
            StatementCache statements,
            TimeGuard guard,
            Supplier<ChangeObserver> observer,
            Runnable copyChanged) {
        this.where = where;
        this.connection = connection;
        this.statements = statements;
        this.guard = guard;
        this.observer = observer;
        this.copyChanged = copyChanged;
    }

    /// Runs `work` under the time limit. Its statements are reset afterwards, whatever happened.
    ///
    /// @param stateAfter what state things are in if the limit ends the work, for the message
    <T extends @Nullable Object> @Nullable T run(TransactionWork<T> work, long limitNanos, String stateAfter) {
        return run(work, limitNanos, TimeGuard.NO_LIMIT, stateAfter);
    }

    /// @param maxWalBytes by how much the WAL may grow meanwhile
    <T extends @Nullable Object> @Nullable T run(
            TransactionWork<T> work, long limitNanos, long maxWalBytes, String stateAfter) {
        T result = null;
        Throwable thrown = null;
        guard.begin(limitNanos, maxWalBytes);
        isOpen = true;
        try {
            result = work.run(this);
        } catch (Throwable e) {
            thrown = e;
        }
        isOpen = false;
        TimeGuard.End end = guard.finish();
        statements.giveBack();
        // If the work was ended, that is the reason to report. What it threw, or made of a half-read result, is only a
        // consequence.
        if (end != null) throw end.in(where, stateAfter, thrown);
        if (thrown != null) throw sneak(thrown);
        return result;
    }

    /// Lets `follower` write before the commit.
    void committing(ChangeObserver follower) {
        open(() -> follower.committing(this));
    }

    /// Tells `follower` that another process has written.
    void wroteElsewhere(ChangeObserver follower) {
        open(() -> follower.wroteElsewhere(this));
    }

    /// Creates an observer that records changes on this connection from now on.
    ChangeObserver follow(Function<Transaction, ChangeObserver> following) {
        List<ChangeObserver> made = new ArrayList<>();
        open(() -> made.add(following.apply(this)));
        return made.getFirst();
    }

    /// Tells `follower` that another process is about to alter the table. Only temporary triggers of this connection
    /// change, so the other process's lock on the file is not in the way.
    void alteringElsewhere(ChangeObserver follower, String table) {
        connection.exec("BEGIN");
        try {
            open(() -> follower.altering(this, table));
        } finally {
            connection.exec("COMMIT");
        }
    }

    private void open(Runnable work) {
        isOpen = true;
        try {
            work.run();
        } finally {
            isOpen = false;
            statements.giveBack();
        }
    }

    @Override
    public SqliteStatement statement(String sql) {
        check();
        return statements.take(sql);
    }

    @Override
    public SqliteConnection connection() {
        check();
        return connection;
    }

    @Override
    public void altering(String table) {
        check();
        observer.get().altering(this, table);
    }

    @Override
    public void dropping(String table) {
        check();
        observer.get().dropping(this, table);
    }

    @Override
    public void copyChanged() {
        check();
        copyChanged.run();
    }

    private void check() {
        if (!isOpen) throw new IllegalStateException("the transaction is over; work that has ended must not use it");
        TimeGuard.End end = guard.ended();
        if (end != null) throw end.in(where, "The work is being ended", null);
        // A failure may have rolled back the transaction. Statements that the work then runs would each commit by
        // themselves.
        if (connection.isAutocommit()) throw new IllegalStateException("the transaction was ended inside work");
    }

    /// Rethrows what work threw, as it is. Work may throw checked exceptions only by deceiving the compiler, and so
    /// does this method.
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable thrown) throws E {
        throw (E) thrown;
    }
}
