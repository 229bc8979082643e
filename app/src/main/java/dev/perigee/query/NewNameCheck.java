package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Transaction;

/// Looks at the names that a statement has made: SQLite does not tell an authorizer a table's new name, nor where a
/// trigger is made.
record NewNameCheck(boolean areHidden, long before, String followers) {
    private static final String FORBIDDEN = """
            SELECT (SELECT count(*) FROM sqlite_schema WHERE lower(substr(name, 1, 4)) = 'tmp_')
                 + (SELECT count(*) FROM sqlite_temp_schema WHERE ?1 = '' OR substr(name, 1, length(?1)) <> ?1)""";

    /// To be called between a statement's preparation and its run; whoever follows a table that it alters or drops is
    /// told.
    static NewNameCheck before(
            Transaction transaction, CallerConnection lent, CallerStatement statement, ChangeObserver observer) {
        statement
                .altered()
                .ifPresent(table -> lent.asPerigee(() -> {
                    transaction.altering(table);
                    return true;
                }));
        statement
                .dropped()
                .ifPresent(table -> lent.asPerigee(() -> {
                    transaction.dropping(table);
                    return true;
                }));
        boolean areHidden = statement.namesHidden();
        String followers = observer.triggerPrefix();
        return new NewNameCheck(areHidden, areHidden ? count(transaction, lent, followers) : 0, followers);
    }

    /// @throws dev.perigee.fault.PerigeeException [Fault#FORBIDDEN] if the statement made a name that is not its
    ///     caller's
    void refuse(Transaction transaction, CallerConnection lent) {
        if (!areHidden || count(transaction, lent, followers) == before) return;
        throw Fault.FORBIDDEN.saying(
                "Names of tables that begin with tmp_ are kept by Perigee, and nothing is temporary.");
    }

    private static long count(Transaction transaction, CallerConnection lent, String followers) {
        return lent.asPerigee(() -> {
            SqliteStatement count = transaction.statement(FORBIDDEN).bindText(1, followers);
            count.step();
            long names = count.intAt(0);
            count.reset(); // While it reads the schema, no table can be dropped.
            return names;
        });
    }
}
