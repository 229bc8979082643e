package dev.perigee.source.postgres;

import dev.perigee.source.Horizon;
import dev.perigee.source.Moment;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.RoundTrip;
import dev.perigee.source.postgres.session.TransactionVisibility;
import dev.perigee.source.postgres.statement.PostgresMoment;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// The open transactions of this database, read in a transaction of its own before the snapshot is taken.
///
/// A value that a transaction takes from the server (`now()`, `clock_timestamp()`, a sequence) is not older than the
/// transaction. So once every transaction that was open at a moment has ended, whatever commits later has greater
/// values than all rows visible at that moment. The snapshot's `xmin` does not prove this: a transaction gets its
/// number at its first write, which may come long after it took the value.
///
/// Some servers do not show all sessions: where our role lacks `pg_read_all_stats`, where sessions hide what they do
/// (`track_activities` off), and on a standby, which does not know the primary's sessions. There, transaction numbers
/// and a settle time are used instead. On a standby the settle time is measured by what it has replayed, because its
/// clock continues while replay is paused or lags.
///
/// @param server what the server shows of its transactions, from which [#sight] follows
/// @param openSince the earliest start of an open transaction, or the time of the look if none is open; the epoch while
///     a prepared transaction waits, because nobody knows when it began
/// @param now the snapshot taken afterwards
/// @param settled everything that was committed until then is in the snapshot; empty where a standby does not tell, or
///     where another server answered the look than took the snapshot
record PostgresHorizon(
        TransactionVisibility server,
        Instant openSince,
        Optional<Holder> oldest,
        Moment now,
        PostgresMoment numbers,
        Optional<Instant> settled)
        implements Horizon {
    static final String SESSIONS_SHOWN = "count(*) FROM pg_catalog.pg_stat_activity";
    static final String PREPARED_SHOWN = "count(database) FROM pg_catalog.pg_prepared_xacts";

    /// The most time between the moment that a transaction takes as its own time and the moment at which others see it
    /// open.
    static final Duration GUARD = Duration.ofSeconds(1);

    /// A session that runs a message counts as open since the message arrived, whether it is in a transaction or not.
    /// After a COMMIT within the message, the next transaction takes that time as its own, and for a moment in between
    /// none is open.
    ///
    /// Sessions that only read hold nothing up and are left out: this one, ours by their process numbers, and
    /// autovacuum workers by their kind. Open transactions are read before prepared ones. A transaction that is
    /// prepared in between is then seen twice, and not missed.
    private static final String SESSIONS = """
            SELECT clock_timestamp() AS looked_at, pg_is_in_recovery() AS is_standby,
                   pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may_see,
                   min(least(a.xact_start, CASE WHEN a.state = 'active' AND a.backend_type = 'client backend'
                                                THEN a.query_start END)) AS open_since,
                   (array_agg(format('process %%s (%%s)', a.pid, coalesce(nullif(a.application_name, ''), a.backend_type))
                              ORDER BY a.xact_start) FILTER (WHERE a.xact_start IS NOT NULL))[1] AS oldest,
                   coalesce(bool_or(a.state = 'disabled'), false) AS some_hide,
                   EXISTS (SELECT FROM pg_catalog.pg_stat_activity own
                           WHERE own.pid = pg_backend_pid() AND own.xact_start IS NOT NULL) AS shows_own,
                   %s
            FROM pg_catalog.pg_stat_activity a
            WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.pid <> ALL (?::int[])
              AND a.backend_type IS DISTINCT FROM 'autovacuum worker'""".formatted(TransactionVisibility.ITSELF);

    /// Takes the place of `SESSIONS` where the server refuses the view.
    private static final String NO_SESSIONS = """
            SELECT clock_timestamp() AS looked_at, pg_is_in_recovery() AS is_standby, true AS may_see,
                   NULL::timestamptz AS open_since, NULL::text AS oldest, false AS some_hide, true AS shows_own, %s
            WHERE ?::int[] IS NOT NULL""".formatted(TransactionVisibility.ITSELF);

    /// The commit time of the last transaction that a standby has replayed, by the primary's clock.
    static final String REPLAYED_AT = "pg_last_xact_replay_timestamp()";

    /// When the server was started.
    static final String SERVER = "pg_postmaster_start_time()";

    /// Tells servers apart where one address leads to several. The same in every time zone.
    static final String RUN = "extract(epoch FROM pg_postmaster_start_time())";

    private static final String REPLAYED =
            "SELECT CASE WHEN pg_is_in_recovery() THEN %s END, concat(pg_is_in_recovery(), ' ', %s)";

    private static final String NO_PREPARED = "SELECT NULL::timestamptz, NULL::text";

    private static final String PREPARED = """
            SELECT min(prepared), (array_agg(format('prepared transaction %L', gid) ORDER BY prepared))[1]
            FROM pg_catalog.pg_prepared_xacts WHERE database = current_database()""";

    /// The tables that can be locked before a snapshot is taken: LOCK TABLE needs the right to read the whole table.
    private static final String LOCKABLE = """
            SELECT n.nspname, c.relname
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE (n.nspname, c.relname) IN (SELECT s, t FROM unnest(?::text[], ?::text[]) AS wanted (s, t))
              AND c.relkind IN ('r', 'p') AND has_table_privilege(c.oid, 'SELECT')""";

    /// What was seen before the snapshot.
    ///
    /// @param lockable those of the requested tables that LOCK TABLE accepts
    /// @param settled see [PostgresHorizon]
    /// @param run tells the server from others behind the same address
    record Before(
            TransactionVisibility server,
            Instant openSince,
            Optional<Holder> oldest,
            Set<TableId> lockable,
            Optional<Instant> settled,
            String run) {
        boolean isStandby() {
            return server.isStandby();
        }

        /// @param at the run of the server that took the snapshot
        PostgresHorizon with(Moment now, String at) {
            return new PostgresHorizon(
                    server, openSince, oldest, now, PostgresMoment.of(now.mark()), settled.filter(_ -> run.equals(at)));
        }
    }

    @Override
    public Sight sight() {
        boolean isAnother = settled.isEmpty() && server.sight() == Sight.ALL;
        return isAnother ? Sight.SOME : server.sight();
    }

    @Override
    public boolean seals(Moment earlier, Duration settle) {
        if (sight() == Sight.ALL) return openSince.minus(GUARD).isAfter(earlier.at());
        return hasSettled(earlier, settle)
                && numbers.xmin() >= PostgresMoment.of(earlier.mark()).xmax();
    }

    @Override
    public boolean hasSettled(Moment earlier, Duration settle) {
        return settled.filter(upTo -> !earlier.at().plus(settle).isAfter(upTo)).isPresent();
    }

    /// Reads, in one round trip, the open transactions, the prepared ones, which of `tables` can be locked, and what a
    /// standby has replayed.
    ///
    /// @param ours process numbers of our own sessions that only read
    static Before look(PgConnection session, PostgresConnections connections, Set<Integer> ours, List<TableId> tables)
            throws SQLException {
        Capabilities can = connections.capabilities();
        boolean showsSessions = can.answers(session, SESSIONS_SHOWN);
        boolean showsPrepared = can.answers(session, PREPARED_SHOWN);
        String replayed = REPLAYED.formatted(can.orNull(session, REPLAYED_AT), can.orNull(session, RUN));
        RoundTrip trip = new RoundTrip(session, connections.kept())
                .set("SET LOCAL datestyle = 'ISO, YMD'") // a pooler may lend us a session with another one
                .ask(showsSessions ? SESSIONS : NO_SESSIONS, array(session, "int4", new ArrayList<>(ours)))
                .ask(showsPrepared ? PREPARED : NO_PREPARED)
                .ask(
                        LOCKABLE,
                        array(
                                session,
                                "text",
                                tables.stream().map(TableId::schema).toList()),
                        array(
                                session,
                                "text",
                                tables.stream().map(TableId::name).toList()))
                .ask(replayed);
        try (RoundTrip.Answers answers = trip.send()) {
            Before open = sessions(answers.next(), showsSessions, showsPrepared);
            Optional<Holder> prepared = holder(answers.next());
            Set<TableId> lockable = lockable(answers.next());
            ResultSet standby = answers.next();
            standby.next();
            // Transactions that commit at the same time may be logged in another order than that of their commit times.
            Optional<Instant> settled =
                    open.isStandby() ? instant(standby, 1).map(replayedAt -> replayedAt.minus(GUARD)) : open.settled();
            Instant since = prepared.isEmpty() ? open.openSince() : Instant.EPOCH;
            Optional<Holder> oldest = prepared.isEmpty() ? open.oldest() : older(open.oldest(), prepared.get());
            return new Before(open.server(), since, oldest, lockable, settled, String.valueOf(text(standby, 2)));
        }
    }

    private static Before sessions(ResultSet row, boolean showsSessions, boolean showsPrepared) throws SQLException {
        row.next();
        Instant looked = instant(row, 1).orElseThrow();
        Optional<Instant> open = instant(row, 4);
        return new Before(
                TransactionVisibility.of(row, showsSessions, showsPrepared),
                open.filter(since -> since.isBefore(looked)).orElse(looked),
                open.map(since -> new Holder(String.valueOf(text(row, 5)), since)),
                Set.of(),
                Optional.of(looked),
                "");
    }

    private static Optional<Holder> holder(ResultSet row) throws SQLException {
        row.next();
        return instant(row, 1).map(since -> new Holder(String.valueOf(text(row, 2)), since));
    }

    private static Optional<Holder> older(Optional<Holder> open, Holder prepared) {
        return open.filter(holder -> holder.since().isBefore(prepared.since())).or(() -> Optional.of(prepared));
    }

    private static Set<TableId> lockable(ResultSet rows) throws SQLException {
        Set<TableId> lockable = new HashSet<>();
        while (rows.next()) lockable.add(new TableId(rows.getString(1), rows.getString(2)));
        return lockable;
    }

    private static Optional<Instant> instant(ResultSet row, int column) throws SQLException {
        return Optional.ofNullable(row.getObject(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }

    private static @Nullable String text(ResultSet row, int column) {
        try {
            return row.getString(column);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String array(PgConnection session, String type, List<?> values) throws SQLException {
        return session.createArrayOf(type, values.toArray()).toString();
    }
}
