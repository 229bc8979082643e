package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.Identity;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.RowVisibility;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.statement.PostgresMoment;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// Who a PostgreSQL server is, as far as it lets us know: hosted ones refuse some of these functions, see
/// [Capabilities].
///
/// @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA">Control data
///     functions</a>
record PostgresIdentity(
        PgConnection session,
        Capabilities can,
        Optional<String> system,
        Optional<Long> timeline,
        boolean isStandby,
        long database,
        PostgresMoment moment,
        Optional<String> position,
        Optional<String> run,
        Optional<String> reached) {

    private static final String PLACE = """
            SELECT pg_is_in_recovery(),
                   (SELECT oid::int8 FROM pg_catalog.pg_database WHERE datname = current_database())""";

    static final String SYSTEM = "(SELECT system_identifier::text FROM pg_control_system())";

    /// The name of the log's file begins with the timeline, and is right at once after a failover; a standby has no
    /// such file, and says what it knew at its last restart point.
    static final String OF_LOG = "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int8";

    static final String OF_CONTROL = "(SELECT timeline_id::int8 FROM pg_control_checkpoint())";

    /// Up to where the log is on the disk. What lies between it and the position of the snapshot may be gone after a
    /// crash: open transactions, and what was committed with `synchronous_commit` off.
    private static final String FLUSHED = "pg_current_wal_flush_lsn()::text";

    /// The last transaction that committed, and when: known with `track_commit_timestamp` only.
    private static final String COMMITTED =
            "(SELECT concat(xid, ' ', extract(epoch FROM \"timestamp\")) FROM pg_last_committed_xact())";

    /// A server begins where its last checkpoint is, or makes one where its recovery ended. Whether there was another
    /// one since it was started is told by the time, which the server keeps in seconds. The place that a checkpoint
    /// begins at, not that of its own record: a server without a disk of its own (Neon) has no record at its start.
    private static final String CHECKPOINT = """
            (SELECT concat(redo_lsn, ' ', checkpoint_time < pg_postmaster_start_time()) FROM pg_control_checkpoint())""";

    /// Answered by Amazon Aurora alone, whose storage knows no checkpoints: what it says of them may be of long ago.
    private static final String AURORA = "aurora_version()";

    private static final String STORAGE = """
            WITH RECURSIVE part (oid) AS (
                SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ? AND c.relname = ?
              UNION
                SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part p ON p.oid = i.inhparent
            )
            SELECT c.oid::int8, c.relfilenode::int8, c.relname = ? AND n.nspname = ?,
                   c.relpersistence = 'u'
            FROM part JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace""";

    /// One that goes round, or down, is set back by design.
    private static final String SEQUENCES = """
            SELECT d.refobjsubid, coalesce(pg_sequence_last_value(q.seqrelid), q.seqstart - 1)
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
              AND d.refobjid = ?::oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
              AND q.seqincrement > 0 AND NOT q.seqcycle AND has_sequence_privilege(q.seqrelid, 'USAGE, SELECT')""";

    static PostgresIdentity of(PgConnection session, Capabilities can, PostgresMoment moment, Optional<String> position)
            throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet place = statement.executeQuery(PLACE)) {
            place.next();
            boolean isStandby = place.getBoolean(1);
            String timeline = can.orNull(session, isStandby ? OF_CONTROL : OF_LOG);
            String none = "NULL";
            String[] said = row(
                    session,
                    "SELECT %s, %s, (%s)::text, %s, %s"
                            .formatted(
                                    can.orNull(session, SYSTEM),
                                    timeline,
                                    can.orNull(session, PostgresHorizon.SERVER),
                                    isStandby ? none : can.orNull(session, FLUSHED),
                                    isStandby ? none : can.orNull(session, COMMITTED)));
            can.are(said[0] + ":" + said[1]);
            return new PostgresIdentity(
                    session,
                    can,
                    Optional.ofNullable(said[0]),
                    Optional.ofNullable(said[1]).map(Long::valueOf),
                    isStandby,
                    place.getLong(2),
                    moment,
                    position,
                    Optional.ofNullable(said[2]),
                    Optional.ofNullable(said[3]).map(flushed -> flushed + (said[4] == null ? "" : " " + said[4])));
        }
    }

    /// What the table is called now that had the identity's number in its database.
    static Optional<TableId> whereabouts(PgConnection session, Identity identity) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement("""
                SELECT n.nspname, c.relname
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.oid = ?::oid AND ? = (SELECT oid::int8 FROM pg_catalog.pg_database WHERE datname = current_database())""")) {
            statement.setLong(1, identity.table());
            statement.setLong(2, identity.database());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.of(new TableId(row.getString(1), row.getString(2))) : Optional.empty();
            }
        }
    }

    /// @param config of our sessions, whose options may decide what a policy shows
    Identity of(SourceTable table, SourceConfig config) throws SQLException {
        Map<Long, Long> storage = new HashMap<>();
        Set<Long> unlogged = new HashSet<>();
        long oid = 0;
        try (PreparedStatement statement = session.prepareStatement(STORAGE)) {
            statement.setString(1, table.id().schema());
            statement.setString(2, table.id().name());
            statement.setString(3, table.id().name());
            statement.setString(4, table.id().schema());
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    storage.put(rows.getLong(1), rows.getLong(2));
                    if (rows.getBoolean(4)) unlogged.add(rows.getLong(1));
                    if (rows.getBoolean(3)) oid = rows.getLong(1);
                }
            }
        }
        return new Identity(
                system,
                timeline,
                isStandby,
                database,
                oid,
                storage,
                unlogged,
                sequences(oid),
                moment.xmax(),
                moment.xmin() + ":" + moment.xmax(),
                position,
                run,
                reached,
                table.isFiltered() ? Optional.of(RowVisibility.of(session, can, table, config)) : Optional.empty());
    }

    Optional<Boolean> continues(Identity earlier) throws SQLException {
        boolean isOtherTimeline =
                timeline.isPresent() && earlier.timeline().isPresent() && !timeline.equals(earlier.timeline());
        return isOtherTimeline ? branchedAfter(earlier) : startedAfter(earlier);
    }

    /// Whether the server was started with all that it had. One that is put back to older files on its timeline counts
    /// and logs on from there, and has overtaken what was remembered sooner or later: so what counts is where it began,
    /// as long as that can be seen. A standby begins where it likes, and replays the rest again.
    private Optional<Boolean> startedAfter(Identity earlier) throws SQLException {
        if (isStandby || earlier.isStandby() || run.equals(earlier.run())) return Optional.of(true);
        if (can.answers(session, AURORA)) return Optional.of(true);
        if (earlier.reached().isEmpty()) return Optional.empty();
        String[] reached = earlier.reached().get().split(" ");
        if (reached.length == 3 && moment.xmax() - earlier.counter() < 1L << 31) {
            String sql =
                    "extract(epoch FROM pg_xact_commit_timestamp('%s'::xid))".formatted(Long.parseLong(reached[1]));
            String committed = row(session, "SELECT " + can.orNull(session, sql))[0];
            if (committed != null) return Optional.of(committed.equals(reached[2]));
        }
        String checkpoint = row(session, "SELECT " + can.orNull(session, CHECKPOINT))[0];
        if (checkpoint == null) return Optional.empty();
        String[] last = checkpoint.split(" ");
        long began = lsn(last[0]);
        if (Long.compareUnsigned(began, lsn(reached[0])) < 0) return Optional.of(false);
        boolean mayLack = earlier.position()
                .map(seen -> Long.compareUnsigned(began, lsn(seen)) < 0)
                .orElse(false);
        if (mayLack) return Optional.empty();
        return last[1].equals("t") ? Optional.of(true) : Optional.empty();
    }

    /// A history file says where each earlier timeline was left: what was seen before that place is still there.
    private Optional<Boolean> branchedAfter(Identity earlier) throws SQLException {
        if (earlier.position().isEmpty()) return Optional.empty();
        String file = "pg_wal/%08X.history".formatted(timeline.orElseThrow());
        String read = can.orNull(session, "pg_read_file('%s', 0, 1000000, true)".formatted(file));
        String[] history = row(session, "SELECT " + read);
        if (history[0] == null) return Optional.empty();
        long seen = lsn(earlier.position().get());
        for (String line : history[0].split("\n")) {
            String[] fields = line.strip().split("\\s+");
            boolean isIt = fields.length >= 2
                    && fields[0].equals(earlier.timeline().orElseThrow().toString());
            if (isIt) return Optional.of(Long.compareUnsigned(seen, lsn(fields[1])) <= 0);
        }
        return Optional.of(false);
    }

    private Map<Integer, Long> sequences(long oid) throws SQLException {
        Map<Integer, Long> sequences = new HashMap<>();
        try (PreparedStatement statement = session.prepareStatement(SEQUENCES)) {
            statement.setLong(1, oid);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) sequences.put(rows.getInt(1), rows.getLong(2));
            }
        }
        return sequences;
    }

    /// A place in the log as a number: `16/B374D848`.
    private static long lsn(String text) {
        String[] halves = text.split("/");
        return Long.parseLong(halves[0], 16) << 32 | Long.parseLong(halves[1], 16);
    }

    private static @Nullable String[] row(PgConnection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            @Nullable String[] cells = new String[row.getMetaData().getColumnCount()];
            for (int i = 0; i < cells.length; i++) cells[i] = row.getString(i + 1);
            return cells;
        }
    }
}
