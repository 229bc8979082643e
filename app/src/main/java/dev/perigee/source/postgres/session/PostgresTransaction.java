package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// One transaction on a lent session: settings, work, commit or rollback. Afterwards the session is as it was before,
/// or closed.
///
/// The settings are made for the transaction only (`SET LOCAL`). A pooler between us and the server may give the next
/// transaction another session, and this session to another client.
public record PostgresTransaction(SourceConfig config, OwnTransactions readers, String where, boolean isReadOnly) {
    /// With these settings values come in one form, whatever defaults the role, the database or this machine have.
    private static final String SETTINGS = """
            SELECT set_config('statement_timeout', ?, true), set_config('TimeZone', 'UTC', true),
                   set_config('DateStyle', 'ISO, YMD', true), set_config('IntervalStyle', 'iso_8601', true),
                   set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
                   set_config('quote_all_identifiers', 'off', true), pg_backend_pid()%s""";

    /// Limits that a role or a database may have against forgotten sessions, and that would end a long load. A load is
    /// one transaction, and pages are written here between two of its statements. Our own setting limits a single
    /// statement.
    private static final List<String> ROLE_LIMITS = List.of("idle_in_transaction_session_timeout", "lock_timeout");

    private static final int TRANSACTION_TIMEOUT = 170_000;

    /// `SET LOCAL` statements that lift these limits, so that a transaction of ours ends only when it is done.
    public static String withoutRoleLimits(PgConnection session) {
        return roleLimits(session).map("SET LOCAL %s = 0"::formatted).collect(Collectors.joining("; "));
    }

    private static Stream<String> roleLimits(PgConnection session) {
        boolean hasWhole = session.haveMinimumServerVersion(TRANSACTION_TIMEOUT);
        return Stream.concat(ROLE_LIMITS.stream(), hasWhole ? Stream.of("transaction_timeout") : Stream.empty());
    }

    <T extends @Nullable Object> T run(PgConnection session, PostgresConnections.Work<T> work) {
        return guarded(session, () -> begun(session, work));
    }

    /// Runs `work` in a transaction that reads, without settings.
    <T extends @Nullable Object> T bare(PgConnection session, PostgresConnections.Work<T> work) {
        return guarded(session, () -> {
            prepare(session);
            return committed(session, work);
        });
    }

    /// Runs `work` on the session outside of a transaction.
    <T extends @Nullable Object> T without(PgConnection session, PostgresConnections.Work<T> work) {
        return guarded(session, () -> {
            session.setNetworkTimeout(Runnable::run, PostgresOptions.socketMillis(config));
            return work.run(session);
        });
    }

    private interface Steps<T extends @Nullable Object> {
        T take() throws SQLException;
    }

    /// Gives the session back as it was before, or closes it.
    private <T extends @Nullable Object> T guarded(PgConnection session, Steps<T> steps) {
        boolean isUsable = false;
        boolean mayStillRun = true;
        try {
            T answer = steps.take();
            isUsable = true;
            return answer;
        } catch (SQLException e) {
            mayStillRun = false;
            isUsable = PostgresFaults.leavesSessionUsable(e) && rolledBack(session);
            throw PostgresFaults.of(where, e, config);
        } catch (PerigeeException e) {
            isUsable = e.getCause() instanceof SQLException sql
                    && PostgresFaults.leavesSessionUsable(sql)
                    && rolledBack(session);
            throw e;
        } finally {
            readers.giveBack(session);
            if (!isUsable && mayStillRun) cancel(session);
            if (!isUsable) abort(session);
        }
    }

    private <T extends @Nullable Object> T begun(PgConnection session, PostgresConnections.Work<T> work)
            throws SQLException {
        prepare(session);
        settings(session);
        return committed(session, work);
    }

    private void prepare(PgConnection session) throws SQLException {
        session.setAutoCommit(true);
        session.setReadOnly(isReadOnly);
        session.setNetworkTimeout(Runnable::run, PostgresOptions.socketMillis(config));
        session.setAutoCommit(false);
    }

    private <T extends @Nullable Object> T committed(PgConnection session, PostgresConnections.Work<T> work)
            throws SQLException {
        T answer = work.run(session);
        readers.giveBack(session);
        commit(session);
        session.setAutoCommit(true);
        if (!isReadOnly) forgetSettings(session);
        return answer;
    }

    private void settings(PgConnection session) throws SQLException {
        String limits = !isReadOnly
                ? ""
                : roleLimits(session)
                        .map(", set_config('%s', '0', true)"::formatted)
                        .collect(Collectors.joining());
        try (PreparedStatement statement = session.prepareStatement(SETTINGS.formatted(limits))) {
            statement.setString(1, config.limits().statementTimeout().toMillis() + "ms");
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                if (isReadOnly) readers.lend(session, row.getInt(8));
            }
        }
        if (isReadOnly || config.defaultSchema().equals("public")) return;
        try (PreparedStatement statement =
                session.prepareStatement("SELECT set_config('search_path', ? || ', public', true)")) {
            statement.setString(1, PostgresNames.name(config.defaultSchema()));
            statement.execute();
        }
    }

    private void commit(PgConnection session) throws SQLException {
        try {
            session.commit();
        } catch (SQLException e) {
            if (isReadOnly) throw e;
            if (PostgresFaults.leavesSessionUsable(e)) {
                // Most likely a deferred constraint, which is checked at commit.
                boolean isConstraint = String.valueOf(e.getSQLState()).startsWith("23");
                throw (isConstraint ? Fault.CONSTRAINT : Fault.SOURCE_STATEMENT)
                        .in(where, PostgresFaults.said(e), "Nothing was changed", e);
            }
            throw PostgresFaults.of(where, e, "It is not known whether " + config.place() + " kept the change");
        }
    }

    /// Undoes what a user's own statement may have left behind: `SET`, advisory locks, `LISTEN`, temporary tables.
    private void forgetSettings(PgConnection session) {
        try (Statement statement = session.createStatement()) {
            // The parts of DISCARD ALL, in one round trip with our name. The driver sets the name after the login, so
            // RESET ALL removes it like any other setting.
            statement.execute("""
                    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *;
                    SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES;
                    SET application_name = '%s'""".formatted(session.escapeLiteral(PostgresOptions.applicationName(config))));
        } catch (SQLException e) {
            abort(session); // the work is committed; only this session cannot be used again
        }
    }

    private boolean rolledBack(PgConnection session) {
        readers.giveBack(session);
        try {
            session.rollback();
            session.setAutoCommit(true);
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    /// Asks the server to end the statement. Otherwise it would notice only when it next sends something, or at the
    /// statement's time limit.
    private static void cancel(PgConnection session) {
        try {
            session.cancelQuery();
        } catch (SQLException e) {
            // The session is closed next, so nothing is lost.
        }
    }

    /// Closes the socket without telling the server, which rolls the transaction back.
    private static void abort(PgConnection session) {
        try {
            session.abort(Runnable::run);
        } catch (SQLException e) {
            // It is closed anyway.
        }
    }
}
