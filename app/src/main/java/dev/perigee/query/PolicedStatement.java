package dev.perigee.query;

import dev.perigee.query.policy.PolicedWrites;
import dev.perigee.query.policy.Policing;
import dev.perigee.query.sql.Parameters;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.statement.AnswerSink.Meta;
import dev.perigee.statement.StatementCall;
import java.util.Set;
import java.util.function.Consumer;

/// Runs one statement of a policed caller on the write connection. The statement may read or write.
final class PolicedStatement {
    private final CallerConnection lent;
    private final RowReader rows;
    private final Consumer<Set<String>> reads;
    private final SqliteConnection connection;

    /// @param reads is given the copies that the statement reads, before it runs; see [StatementRun.Answers#reads]
    PolicedStatement(CallerConnection lent, RowReader rows, Consumer<Set<String>> reads) {
        this.lent = lent;
        this.reads = reads;
        this.rows = rows;
        this.connection = lent.connection();
    }

    /// @return rows read and written; the rows themselves went to `sink`
    Meta run(StatementCall call, RowReader.Target sink) {
        PolicedWrites writes = new PolicedWrites(connection, lent.policing());
        try {
            lent.asPerigee(() -> {
                writes.open(call.sql());
                return true;
            });
            return run(call, sink, writes);
        } catch (SqliteException e) {
            throw PolicedWrites.reason(e);
        } finally {
            lent.asPerigee(() -> {
                writes.close();
                return true;
            });
        }
    }

    private Meta run(StatementCall call, RowReader.Target sink, PolicedWrites writes) {
        Meta meta;
        boolean replaces = false;
        CallerStatement statement = prepare(call.sql(), writes);
        try (statement) {
            Parameters.bind(statement.sqlite(), call);
            Set<String> copies = statement.copies();
            if (!copies.isEmpty()) reads.accept(copies);
            replaces = writes.insertTarget() != null && lent.asPerigee(() -> writes.mayReplace(call.sql()));
            if (replaces) fireForReplaced(true);
            meta = rows.run(lent, statement.sqlite(), sink);
        } finally {
            if (replaces) fireForReplaced(false);
        }
        long before = lent.changes();
        lent.asPerigee(() -> {
            writes.apply();
            return true;
        });
        long written = writes.insertTarget() == null ? lent.changes() - before : meta.rowsWritten();
        lent.checkMade(statement);
        return new Meta(meta.rowsRead(), written);
    }

    private CallerStatement prepare(String sql, PolicedWrites writes) {
        Policing policing = lent.policing();
        policing.begin(sql, null);
        CallerStatement first = null;
        try {
            first = lent.prepare(sql);
        } catch (SqliteException e) {
            // An INSERT cannot be prepared on the view that stands in for its table.
            if (policing.insertInto().isEmpty()) throw e;
        }
        if (policing.insertInto().isEmpty() && first != null) {
            StatementRun.requireOne(first.sqlite(), sql);
            return first;
        }
        if (first != null) first.close();
        String target = policing.insertInto().orElseThrow();
        lent.asPerigee(() -> {
            writes.uncover(target);
            return true;
        });
        policing.begin(sql, target);
        CallerStatement insert = lent.prepare(sql);
        StatementRun.requireOne(insert.sqlite(), sql);
        return insert;
    }

    private void fireForReplaced(boolean isOn) {
        lent.asPerigee(() -> {
            connection.exec("PRAGMA recursive_triggers = " + (isOn ? "ON" : "OFF"));
            return true;
        });
    }
}
