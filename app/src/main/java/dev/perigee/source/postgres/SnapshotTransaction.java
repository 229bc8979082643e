package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableId;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.OwnTransactions;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresNames;
import dev.perigee.source.postgres.session.PostgresTransaction;
import dev.perigee.source.postgres.statement.PostgresMoment;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.postgresql.jdbc.PgConnection;

/// The REPEATABLE READ transaction of a snapshot, and what was read when it began.
///
/// All settings of a session are made for the transaction only. So they also hold behind poolers that change the
/// session between two transactions.
///
/// @param asOf see [PostgresSnapshot#asOf]
/// @param position the WAL position behind everything that the snapshot sees; empty where the server refuses to tell
/// @param version empty where equal versions would not prove that nothing changed: on a standby, or where one of
///     several servers numbers its own transactions only
/// @param visible the transactions that the snapshot sees
/// @param serverVersion as `server_version_num`: 160004 for 16.4
/// @param locked tables that were locked before the snapshot was taken
/// @param can what the server answers
record SnapshotTransaction(
        PgConnection session,
        PostgresHorizon horizon,
        Optional<Instant> asOf,
        Optional<String> position,
        Optional<SourceVersion> version,
        VisibleTransactions visible,
        int serverVersion,
        Set<TableId> locked,
        Capabilities can) {
    /// The WAL position behind everything that the snapshot sees. That includes what was committed with
    /// `synchronous_commit` off and is not yet written to the log's files.
    static final String INSERTED = "pg_current_wal_insert_lsn()::text";

    static final String REPLAYED = "pg_last_wal_replay_lsn()::text";

    /// Ends the transaction that `session` is in, reads which transactions are open, and begins the snapshot's own.
    /// Where our rights allow it, its tables are locked before the snapshot is taken, in the mode of any read. So the
    /// catalog and the rows are of one definition.
    ///
    /// @param connections knows our sessions that only read, and what the server answers
    static SnapshotTransaction begin(
            PgConnection session, SourceConfig config, List<TableId> tables, PostgresConnections connections)
            throws SQLException {
        try {
            return begun(session, config, tables, connections);
        } catch (SQLException e) {
            connections.capabilities().forget();
            connections.kept().failed(session, e);
            throw e;
        }
    }

    private static SnapshotTransaction begun(
            PgConnection session, SourceConfig config, List<TableId> tables, PostgresConnections connections)
            throws SQLException {
        OwnTransactions readers = connections.readers();
        Capabilities can = connections.capabilities();
        Map<Integer, Long> ours = readers.lent();
        PostgresHorizon.Before before = PostgresHorizon.look(session, connections, ours.keySet(), tables);
        if (!readers.areStill(ours)) before = PostgresHorizon.look(session, connections, Set.of(), tables);
        String position = can.orNull(session, before.isStandby() ? REPLAYED : INSERTED);
        String server = can.orNull(session, PostgresHorizon.RUN);
        // All times are by one clock, the primary's: a standby's own clock continues while nothing is replayed.
        String clock = before.isStandby()
                ? "coalesce(%s, clock_timestamp())".formatted(can.orNull(session, PostgresHorizon.REPLAYED_AT))
                : "clock_timestamp()";
        readers.giveBack(session);
        try (Statement statement = session.createStatement()) {
            ResultSet row = lastAnswer(statement, """
                    COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; %s%s;
                    SELECT pg_current_snapshot()::text, %s, %s, current_setting('server_version_num')::int,
                           transaction_timestamp(), pg_backend_pid(), concat(pg_is_in_recovery(), ' ', %s)""".formatted(
                            settings(session, config), locks(before.lockable(), tables), clock, position, server));
            row.next();
            int process = row.getInt(6);
            readers.lend(session, process);
            connections.kept().isServedBy(session, process);
            PostgresMoment numbers = PostgresMoment.of(row.getString(1));
            Moment now = numbers.at(row.getObject(2, OffsetDateTime.class).toInstant());
            PostgresHorizon horizon = before.with(now, String.valueOf(row.getString(7)));
            Instant begun = row.getObject(5, OffsetDateTime.class).toInstant();
            return new SnapshotTransaction(
                    session,
                    horizon,
                    before.isStandby() ? horizon.settled() : horizon.settled().map(_ -> begun),
                    Optional.ofNullable(row.getString(3)),
                    version(row, before),
                    VisibleTransactions.parse(row.getString(1), !before.isStandby()),
                    row.getInt(4),
                    before.lockable(),
                    can);
        }
    }

    private static Optional<SourceVersion> version(ResultSet row, PostgresHorizon.Before before) throws SQLException {
        boolean isTold = !before.isStandby() && before.server().sight() != Horizon.Sight.ONE_OF_MANY;
        return isTold ? Optional.of(new SourceVersion(row.getString(7), row.getString(1))) : Optional.empty();
    }

    private static String locks(Set<TableId> lockable, List<TableId> tables) {
        String locked = tables.stream()
                .filter(lockable::contains)
                .map(PostgresNames::table)
                .collect(Collectors.joining(", "));
        return locked.isEmpty() ? "" : "; LOCK TABLE " + locked + " IN ACCESS SHARE MODE";
    }

    /// Sends several statements in one round trip.
    ///
    /// @return the answer of the last one, before its first row
    static ResultSet lastAnswer(Statement statement, String sql) throws SQLException {
        boolean isAnswer = statement.execute(sql);
        while (!isAnswer) {
            if (statement.getUpdateCount() < 0) throw new IllegalStateException("the last statement has no answer");
            isAnswer = statement.getMoreResults();
        }
        return statement.getResultSet();
    }

    /// The settings of a transaction that reads tables: values come in one form, and no row is left out silently.
    static String settings(PgConnection session, SourceConfig config) throws SQLException {
        return """
                SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601';
                SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL row_security = off;
                SET LOCAL statement_timeout = %d; %s""".formatted(
                        config.limits().statementTimeout().toMillis(), PostgresTransaction.withoutRoleLimits(session));
    }

    void execute(String sql) throws SQLException {
        execute(session, sql);
    }

    /// The first row's first column as text; empty where there is no row, or where it is NULL.
    Optional<String> first(String sql) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
        }
    }

    static void execute(PgConnection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }
}
