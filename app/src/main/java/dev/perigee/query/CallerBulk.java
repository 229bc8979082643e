package dev.perigee.query;

import dev.perigee.fault.PerigeeException;
import dev.perigee.plugin.BulkWrite;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Transaction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Runs many statements of one caller in one transaction. SQLite's authorizer checks the caller's `AccessRules` as each
/// statement is compiled, as it does for single statements.
final class CallerBulk implements BulkWrite, AutoCloseable {
    private final Transaction transaction;
    private final CallerConnection lent;
    private final ChangeObserver observer;
    private final List<SqliteStatement> prepared = new ArrayList<>();

    CallerBulk(Transaction transaction, CallerConnection lent, ChangeObserver observer) {
        this.transaction = transaction;
        this.lent = lent;
        this.observer = observer;
    }

    @Override
    public SqliteStatement prepare(String sql) {
        return said(() -> {
            SqliteStatement statement = lent.prepare(sql).sqlite();
            prepared.add(statement);
            StatementRun.requireOne(statement, sql);
            return statement;
        });
    }

    @Override
    public void run(String sql) {
        said(() -> {
            try (CallerStatement statement = lent.prepare(sql)) {
                StatementRun.requireOne(statement.sqlite(), sql);
                NewNameCheck names = NewNameCheck.before(transaction, lent, statement, observer);
                boolean hasRow = statement.sqlite().step();
                while (hasRow) hasRow = statement.sqlite().step();
                names.refuse(transaction, lent);
            }
            return true;
        });
    }

    @Override
    public void apart(Runnable work) {
        as("SAVEPOINT perigee_bulk");
        try {
            work.run();
        } catch (RuntimeException e) {
            if (!lent.connection().isAutocommit()) {
                as("ROLLBACK TO perigee_bulk");
                as("RELEASE perigee_bulk");
            }
            throw e;
        }
        as("RELEASE perigee_bulk");
    }

    @Override
    public boolean isUndone() {
        return lent.connection().isAutocommit();
    }

    private void as(String sql) {
        lent.asPerigee(() -> {
            transaction.statement(sql).run();
            return true;
        });
    }

    /// Runs `work`. If a statement exceeds its caller's rights, throws the refusal itself and not SQLite's exception.
    private static <T> T said(Supplier<T> work) {
        try {
            return work.get();
        } catch (SqliteException e) {
            throw e.getCause() instanceof PerigeeException refusal ? refusal : e;
        }
    }

    @Override
    public void close() {
        prepared.forEach(SqliteStatement::close);
    }
}
