package dev.perigee.store;

import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.Store.Transaction;
import dev.perigee.store.Store.Work;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The transaction that work sees, one object per connection, valid while work runs.
final class OpenTransaction implements Transaction {
    private final String where;
    private final SqliteConnection connection;
    private final StatementCache statements;
    private final TimeGuard guard;
    private final @Nullable Apart apart;
    private final Supplier<ChangeObserver> observer;
    private final Runnable copyChanged;
    private boolean isOpen;

    OpenTransaction(String where, SqliteConnection connection, StatementCache statements, TimeGuard guard) {
        this(where, connection, statements, guard, null);
    }

    OpenTransaction(
            String where,
            SqliteConnection connection,
            StatementCache statements,
            TimeGuard guard,
            @Nullable Apart apart) {
        this(where, connection, statements, guard, apart, () -> ChangeObserver.NONE, () -> {});
    }

    /// @param apart the reader's second connection; null on the writer, which has none
    /// @param observer who follows the writes now
    /// @param copyChanged told of each change of a copy
    OpenTransaction(
            String where,
            SqliteConnection connection,
            StatementCache statements,
            TimeGuard guard,
            @Nullable Apart apart,
            Supplier<ChangeObserver> observer,
            Runnable copyChanged) {
        this.where = where;
        this.connection = connection;
        this.statements = statements;
        this.guard = guard;
        this.apart = apart;
        this.observer = observer;
        this.copyChanged = copyChanged;
    }

    /// Runs `work` under the time limit; statements are reset afterwards, whatever happened.
    ///
    /// @param stateAfter what stands when the limit ends it, for the message
    <T extends @Nullable Object> @Nullable T run(Work<T> work, long limitNanos, String stateAfter) {
        return run(work, limitNanos, TimeGuard.NO_LIMIT, stateAfter);
    }

    /// @param maxWalBytes by how much the WAL may grow meanwhile
    <T extends @Nullable Object> @Nullable T run(Work<T> work, long limitNanos, long maxWalBytes, String stateAfter) {
        T result = null;
        Throwable thrown = null;
        guard.begin(limitNanos, maxWalBytes);
        isOpen = true;
        try {
            result = work.run(this);
        } catch (Throwable e) {
            thrown = e;
        }
        if (apart != null) apart.end();
        isOpen = false;
        TimeGuard.End end = guard.finish();
        statements.giveBack();
        // What interrupted work threw, or made of a half-read result, is a consequence; the end is the
        // reason.
        if (end != null) throw end.in(where, stateAfter, thrown);
        if (thrown != null) throw sneak(thrown);
        return result;
    }

    /// Lets `observer` write more before the commit.
    void committing(ChangeObserver follower) {
        isOpen = true;
        try {
            follower.committing(this);
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
    public void copyChanged() {
        check();
        copyChanged.run();
    }

    @Override
    public SqliteConnection apart() {
        check();
        if (apart == null) throw new IllegalStateException("only reads have a connection apart");
        return apart.begin();
    }

    private void check() {
        if (!isOpen) throw new IllegalStateException("the transaction is over; it was kept by work that has ended");
        TimeGuard.End end = guard.ended();
        if (end != null) throw end.in(where, "The work is being ended", null);
        // After a failure that undid the transaction, what work goes on to write would commit statement by
        // statement.
        if (connection.isAutocommit()) throw new IllegalStateException("the transaction was ended inside work");
    }

    /// Work can throw unchecked exceptions only, unless it deceives the compiler; then so do we.
    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException sneak(Throwable thrown) throws E {
        throw (E) thrown;
    }
}
