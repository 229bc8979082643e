package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.sql.Parameters;
import dev.perigee.query.sql.SqlScan;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Caller;
import dev.perigee.statement.StatementCall;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Transaction;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A request's statements on a connection, in the transaction that is open there: the same in the server and in a
/// worker process.
final class StatementRun {
    /// Takes the answers, statement by statement.
    interface Answers {
        /// Takes the rows of the statement at `index`.
        RowReader.Target rows(int index);

        /// The statement is over.
        void end(int index, Meta meta);
    }

    private final Caller caller;
    private final boolean isPoliced;
    private final List<StatementCall> calls;
    private final RowReader rows;
    private final Answers answers;
    private @Nullable CallerStatement last;

    StatementRun(Caller caller, boolean isPoliced, List<StatementCall> calls, RowReader rows, Answers answers) {
        this.caller = caller;
        this.isPoliced = isPoliced;
        this.calls = calls;
        this.rows = rows;
        this.answers = answers;
    }

    /// @return false, and nothing has been run, if a statement writes
    boolean read(CallerConnection lent) {
        return lent.as(caller, isPoliced, () -> {
            if (isPoliced) lent.police();
            // All are looked at before any runs: an answer once begun cannot move to the writer.
            if (calls.size() > 1 && !allReadonly(lent)) return false;
            for (int i = 0; i < calls.size(); i++) {
                if (!readOne(lent, i)) return false;
            }
            return true;
        });
    }

    /// The statement that was read last, if it had been run before and was kept.
    Optional<CallerStatement> repeated() {
        return Optional.ofNullable(last).filter(CallerStatement::wasKept);
    }

    /// @param maxDatabaseBytes what a client's statements may make the database grow to
    void write(Transaction transaction, CallerConnection lent, ChangeObserver observer, long maxDatabaseBytes) {
        long usedBefore = caller.isAdmin() ? 0 : usedBytes(transaction);
        // Do not leak another caller's `last_insert_rowid()`.
        if (isPoliced) transaction.connection().lastInsertRowid(0);
        lent.as(caller, isPoliced, () -> {
            for (int i = 0; i < calls.size(); i++) {
                if (isPoliced) writePoliced(lent, i);
                else writeOne(transaction, lent, observer, i);
            }
            return true;
        });
        if (!caller.isAdmin()) checkSize(usedBefore, usedBytes(transaction), maxDatabaseBytes);
    }

    private boolean allReadonly(CallerConnection lent) {
        for (int i = 0; i < calls.size(); i++) {
            String sql = calls.get(i).sql();
            Optional<CallerStatement> statement = at(i, () -> prepareRead(lent, sql));
            if (statement.isEmpty()) return false;
            lent.release(statement.get());
        }
        return true;
    }

    private boolean readOne(CallerConnection lent, int index) {
        return at(index, () -> {
            StatementCall call = calls.get(index);
            Optional<CallerStatement> statement = prepareRead(lent, call.sql());
            if (statement.isEmpty()) return false;
            try {
                Parameters.bind(statement.get().sqlite(), call);
                answers.end(index, rows.run(lent, statement.get().sqlite(), answers.rows(index)));
                return true;
            } finally {
                lent.release(statement.get());
            }
        });
    }

    /// Empty for a statement that writes.
    private Optional<CallerStatement> prepareRead(CallerConnection lent, String sql) {
        CallerStatement statement;
        try {
            statement = prepare(lent, sql, isPoliced);
        } catch (SqliteException e) {
            // A view in the table's place cannot be written to here, which SQLite says as a mistake.
            if (isPoliced && lent.policing().wantsToWrite(e)) return Optional.empty();
            throw e;
        }
        last = statement;
        if (statement.sqlite().isReadonly()) return Optional.of(statement);
        lent.release(statement);
        return Optional.empty();
    }

    /// Pages that hold something; what a deletion freed is used again before the file grows.
    private static long usedBytes(Transaction transaction) {
        SqliteStatement pages = transaction.statement("""
                SELECT (c.page_count - f.freelist_count) * s.page_size
                FROM pragma_page_count AS c, pragma_freelist_count AS f, pragma_page_size AS s""");
        pages.step();
        long bytes = pages.intAt(0);
        pages.reset();
        return bytes;
    }

    private static void checkSize(long before, long after, long maxBytes) {
        if (after <= maxBytes || after <= before) return;
        throw Fault.TOO_LARGE.saying(
                "The database has more than %d bytes (query.maxDatabaseBytes): delete rows first, or ask an admin."
                        .formatted(maxBytes));
    }

    private void writePoliced(CallerConnection lent, int index) {
        at(index, () -> {
            answers.end(index, new PolicedStatement(lent, rows).run(calls.get(index), answers.rows(index)));
            return true;
        });
    }

    private void writeOne(Transaction transaction, CallerConnection lent, ChangeObserver observer, int index) {
        at(index, () -> {
            StatementCall call = calls.get(index);
            CallerStatement statement = prepare(lent, call.sql(), false);
            try {
                Parameters.bind(statement.sqlite(), call);
                NewNameCheck names = NewNameCheck.before(transaction, lent, statement, observer);
                answers.end(index, rows.run(lent, statement.sqlite(), answers.rows(index)));
                names.refuse(transaction, lent);
                lent.checkMade(statement);
                return true;
            } finally {
                lent.release(statement);
            }
        });
    }

    /// Names the statement that failed, where there are several.
    private <T> T at(int index, Supplier<T> work) {
        if (calls.size() == 1) return work.get();
        try {
            return work.get();
        } catch (PerigeeException e) {
            PerigeeException reason =
                    e instanceof SqliteException && e.getCause() instanceof PerigeeException refusal ? refusal : e;
            throw reason.fault()
                    .saying("Statement %d of %d: %s".formatted(index + 1, calls.size(), reason.getMessage()));
        }
    }

    private static CallerStatement prepare(CallerConnection lent, String sql, boolean isPoliced) {
        if (isPoliced) lent.policing().begin(sql, null);
        // Some pragmas answer from the schema the connection remembers, however old.
        if (SqlScan.mentionsPragma(sql)) lent.lookAtSchema();
        CallerStatement statement;
        try {
            statement = lent.prepare(sql);
        } catch (SqliteException e) {
            // A mistake may be one by an old schema only: SQLite counts columns, for one, without looking at the file.
            lent.lookAtSchema();
            statement = lent.prepare(sql);
        }
        requireOne(statement.sqlite(), sql);
        return statement;
    }

    /// @throws PerigeeException [Fault#INVALID_REQUEST] where a second statement follows
    static void requireOne(SqliteStatement statement, String sql) {
        if (SqlScan.isBlank(statement.tail())) return;
        int second = sql.length() - statement.tail().length() + SqlScan.firstToken(statement.tail());
        statement.close();
        throw Fault.INVALID_REQUEST.saying(
                "\"sql\" is one statement, but a second one begins at character %d: send several as \"transaction\"."
                        .formatted(second + 1));
    }
}
