package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.query.sql.Parameters;
import dev.perigee.query.sql.SqlWords;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.Caller;
import dev.perigee.statement.StatementCall;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Transaction;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Runs a request's statements on a connection, in the connection's open transaction. The server and the worker
/// processes both use it.
final class StatementRun {
    /// Receives the answers, statement by statement.
    interface Answers {
        /// Called with the copies that statements read, before any row is asked for. Either once for all statements, or
        /// for each statement before it runs.
        ///
        /// @throws PerigeeException [Fault#STALE] if they must not be read as they are
        void reads(Set<String> copies);

        /// What receives the rows of the statement at `index`. Called before the statement runs.
        RowReader.Target rows(int index);

        /// Called when the statement at `index` is done.
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

    /// Runs the statements if all of them only read.
    ///
    /// @return false if a statement writes; nothing has been run then
    boolean read(CallerConnection lent) {
        return lent.as(caller, isPoliced, () -> {
            if (isPoliced) lent.police();
            // All are prepared before any runs: once the answer has begun, the request cannot move to the writer.
            Set<String> copies = new HashSet<>();
            if (calls.size() > 1) {
                if (!allReadonly(lent, copies)) return false;
                if (!copies.isEmpty()) answers.reads(copies);
            }
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

    /// Runs the statements, which may write.
    ///
    /// @param maxDatabaseBytes the size up to which a client's statements may make the database grow
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

    /// @param copies is filled with the copies that the statements read
    private boolean allReadonly(CallerConnection lent, Set<String> copies) {
        for (int i = 0; i < calls.size(); i++) {
            String sql = calls.get(i).sql();
            Optional<CallerStatement> statement = at(i, () -> prepareRead(lent, sql));
            if (statement.isEmpty()) return false;
            copies.addAll(statement.get().copies());
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
                Set<String> copies = statement.get().copies();
                if (calls.size() == 1 && !copies.isEmpty()) answers.reads(copies);
                answers.end(index, rows.run(lent, statement.get().sqlite(), answers.rows(index)));
                return true;
            } finally {
                lent.release(statement.get());
            }
        });
    }

    /// Prepares a statement that only reads. Empty if it writes.
    private Optional<CallerStatement> prepareRead(CallerConnection lent, String sql) {
        CallerStatement statement;
        try {
            statement = prepare(lent, sql, isPoliced);
        } catch (SqliteException e) {
            // The view in the table's place cannot be written to here, so SQLite reports a write as an error.
            if (isPoliced && lent.policing().wantsToWrite(e)) return Optional.empty();
            throw e;
        }
        last = statement;
        if (statement.sqlite().isReadonly()) return Optional.of(statement);
        lent.release(statement);
        return Optional.empty();
    }

    /// Bytes of the pages that are in use. Free pages do not count, because SQLite reuses them before the file grows.
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
            answers.end(
                    index, new PolicedStatement(lent, rows, answers::reads).run(calls.get(index), answers.rows(index)));
            return true;
        });
    }

    private void writeOne(Transaction transaction, CallerConnection lent, ChangeObserver observer, int index) {
        at(index, () -> {
            StatementCall call = calls.get(index);
            CallerStatement statement = prepare(lent, call.sql(), false);
            try {
                Parameters.bind(statement.sqlite(), call);
                Set<String> copies = statement.copies();
                if (!copies.isEmpty()) answers.reads(copies);
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

    /// Does `work`. If there are several statements, a failure's message says which one failed.
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
        // Some pragmas answer from the schema that the connection has cached, however old it is.
        if (SqlWords.mayHave(sql, "pragma")) lent.lookAtSchema();
        CallerStatement statement;
        try {
            statement = lent.prepare(sql);
        } catch (SqliteException e) {
            // The error may come from an old cached schema: for example, SQLite counts columns without reading the
            // file.
            lent.lookAtSchema();
            statement = lent.prepare(sql);
        }
        requireOne(statement.sqlite(), sql);
        return statement;
    }

    /// Checks that `sql` is one statement. If it is not, closes `statement`.
    ///
    /// @throws PerigeeException [Fault#INVALID_REQUEST] if a second statement follows
    static void requireOne(SqliteStatement statement, String sql) {
        if (SqlWords.isBlank(statement.tail())) return;
        int second = sql.length() - statement.tail().length() + SqlWords.begin(statement.tail());
        statement.close();
        throw Fault.INVALID_REQUEST.saying(
                "\"sql\" is one statement, but a second one begins at character %d: send several as \"transaction\"."
                        .formatted(second + 1));
    }
}
