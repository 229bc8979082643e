package dev.perigee.query;

import dev.perigee.fault.Fault;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.store.ChangeObserver;
import dev.perigee.store.Transaction;

/// Checks that a statement has made no forbidden name. SQLite does not tell an authorizer the new name of a renamed
/// table, nor the schema in which a trigger is created. So forbidden names are counted before and after the statement.
///
/// @param areHidden whether the statement may make names that the authorizer is not told
/// @param before forbidden names before the statement ran
/// @param followers the prefix of the change observer's triggers, which may be temporary; empty if there are none
record NewNameCheck(boolean areHidden, long before, String followers) {
    private static final String FORBIDDEN = """
            SELECT (SELECT count(*) FROM sqlite_schema WHERE lower(substr(name, 1, 4)) = 'tmp_')
                 + (SELECT count(*) FROM sqlite_temp_schema WHERE ?1 = '' OR substr(name, 1, length(?1)) <> ?1)""";

    /// To be called between a statement's preparation and its run. Tells the change observer of a table that the
    /// statement alters or drops.
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

    /// To be called after the statement's run.
    ///
    /// @throws dev.perigee.fault.PerigeeException [Fault#FORBIDDEN] if the statement made a forbidden name
    void refuse(Transaction transaction, CallerConnection lent) {
        if (!areHidden || count(transaction, lent, followers) == before) return;
        throw Fault.FORBIDDEN.saying(
                "Names that begin with tmp_ are reserved for Perigee, and temporary triggers are not available.");
    }

    private static long count(Transaction transaction, CallerConnection lent, String followers) {
        return lent.asPerigee(() -> {
            SqliteStatement count = transaction.statement(FORBIDDEN).bindText(1, followers);
            count.step();
            long names = count.intAt(0);
            count.reset(); // While a statement reads the schema, no table can be dropped.
            return names;
        });
    }
}
