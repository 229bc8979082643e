package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.Identity;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.RowVisibility;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.KeptStatements;
import dev.perigee.source.postgres.session.RoundTrip;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// The identity of a PostgreSQL server, as far as it lets us know. Hosted servers refuse some of these functions; see
/// [Capabilities].
///
/// @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA">Control data
///     functions</a>
record PostgresIdentity(PgConnection session, Capabilities can, Identity.Server server, Identity.Progress progress) {

    private static final String DATABASE =
            "(SELECT oid::int8 FROM pg_catalog.pg_database WHERE datname = current_database())";

    static final String SYSTEM = "(SELECT system_identifier::text FROM pg_control_system())";

    /// The timeline, from the beginning of the current WAL file's name. It is right immediately after a failover. A
    /// standby has no such file and tells, by `OF_CONTROL`, the timeline of its last restart point.
    static final String OF_LOG = "('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int8";

    static final String OF_CONTROL = "(SELECT timeline_id::int8 FROM pg_control_checkpoint())";

    /// The position up to which the WAL is on disk. A crash may lose what lies between it and the position of the
    /// snapshot: open transactions, and commits made with `synchronous_commit` off.
    private static final String FLUSHED = "pg_current_wal_flush_lsn()::text";

    /// The last transaction that committed, and its time. Known only with `track_commit_timestamp`.
    private static final String COMMITTED =
            "(SELECT concat(xid, ' ', extract(epoch FROM \"timestamp\")) FROM pg_last_committed_xact())";

    /// Where a server began: at its last checkpoint, or at the one that it makes when its recovery ends. The time,
    /// which the server keeps in seconds, tells whether there was another checkpoint since the start. The place is the
    /// one where the checkpoint began, not that of its own record. A server without a disk of its own (Neon) has no
    /// record at its start.
    private static final String CHECKPOINT = """
            (SELECT concat(redo_lsn, ' ', checkpoint_time < pg_postmaster_start_time()) FROM pg_control_checkpoint())""";

    /// Answered by Amazon Aurora only. Its storage has no checkpoints, so what it tells about them may be long out of
    /// date.
    private static final String AURORA = "aurora_version()";

    /// The settings with which [TableReads] reads a table whose types are all built in.
    private static final String PATH = TableReads.settings(List.of(TableReads.BUILT_IN));

    private static final String STORAGE = """
            WITH RECURSIVE part (oid) AS (
                SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ? AND c.relname = ?
              UNION
                SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part p ON p.oid = i.inhparent
            )
            SELECT c.oid::int8, c.relfilenode::int8, c.relpersistence = 'u',
                   CASE WHEN c.relname = ? AND n.nspname = ? THEN (
                       SELECT concat(c.xmin, ' ', count(*), ' ',
                                     sum(pg_catalog.hashtextextended(concat(a.attnum, ' ', a.xmin), 0)))
                       FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid) END
            FROM part JOIN pg_catalog.pg_class c USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace""";

    /// Cycling or descending sequences go backwards by design, so they prove nothing and are left out.
    private static final String SEQUENCES = """
            SELECT d.refobjsubid, coalesce(pg_sequence_last_value(q.seqrelid), q.seqstart - 1)
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
            WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
              AND d.refobjid = (SELECT c.oid FROM pg_catalog.pg_class c
                                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                                WHERE n.nspname = ? AND c.relname = ?)
              AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
              AND q.seqincrement > 0 AND NOT q.seqcycle AND has_sequence_privilege(q.seqrelid, 'USAGE, SELECT')""";

    /// A table's identity, and a fingerprint of its own definition: its columns and their types.
    ///
    /// @param definition empty where the table does not exist
    record OfTable(PostgresIdentity server, Identity identity, Optional<String> definition) {}

    /// Reads the identities of the server and of one table, in one round trip.
    ///
    /// @param config the settings of our sessions; their options may decide what a policy shows
    static OfTable of(
            SnapshotTransaction transaction,
            KeptStatements kept,
            Identity.Progress progress,
            SourceTable table,
            SourceConfig config)
            throws SQLException {
        PgConnection session = transaction.session();
        Capabilities can = transaction.can();
        boolean isStandby = transaction.horizon().server().isStandby();
        String none = "NULL";
        String server = "SELECT %s, %s, (%s)::text, %s, %s, %s"
                .formatted(
                        can.orNull(session, SYSTEM),
                        can.orNull(session, isStandby ? OF_CONTROL : OF_LOG),
                        can.orNull(session, PostgresHorizon.SERVER),
                        isStandby ? none : can.orNull(session, FLUSHED),
                        isStandby ? none : can.orNull(session, COMMITTED),
                        DATABASE);
        String schema = table.id().schema();
        String name = table.id().name();
        RoundTrip trip = new RoundTrip(session, kept)
                .ask(server)
                .ask(STORAGE, schema, name, name, schema)
                .ask(SEQUENCES, schema, name)
                .set(PATH);
        try (RoundTrip.Answers answers = trip.send()) {
            ResultSet row = answers.next();
            row.next();
            String system = row.getString(1);
            String timeline = row.getString(2);
            can.are(system + ":" + timeline);
            Identity.Server of = new Identity.Server(
                    Optional.ofNullable(system),
                    Optional.ofNullable(timeline).map(Long::valueOf),
                    isStandby,
                    row.getLong(6));
            String flushed = row.getString(4);
            String committed = row.getString(5);
            Identity.Progress reached = new Identity.Progress(
                    progress.counter(),
                    progress.mark(),
                    progress.position(),
                    Optional.ofNullable(row.getString(3)),
                    Optional.ofNullable(flushed).map(to -> to + (committed == null ? "" : " " + committed)));
            PostgresIdentity identity = new PostgresIdentity(session, can, of, reached);
            return identity.of(answers, table, config);
        }
    }

    /// @param answers those of `STORAGE` and `SEQUENCES` are next
    private OfTable of(RoundTrip.Answers answers, SourceTable table, SourceConfig config) throws SQLException {
        Map<Long, Long> storage = new HashMap<>();
        Set<Long> unlogged = new HashSet<>();
        Map<Integer, Long> sequences = new HashMap<>();
        long oid = 0;
        Optional<String> definition = Optional.empty();
        ResultSet parts = answers.next();
        while (parts.next()) {
            storage.put(parts.getLong(1), parts.getLong(2));
            if (parts.getBoolean(3)) unlogged.add(parts.getLong(1));
            String own = parts.getString(4);
            if (own == null) continue;
            oid = parts.getLong(1);
            definition = Optional.of(oid + " " + own);
        }
        ResultSet numbers = answers.next();
        while (numbers.next()) sequences.put(numbers.getInt(1), numbers.getLong(2));
        Optional<String> sight = table.access().isFiltered()
                ? Optional.of(RowVisibility.of(session, can, table, config))
                : Optional.empty();
        Identity.Table of = new Identity.Table(oid, storage, unlogged, sequences);
        return new OfTable(this, new Identity(server, of, progress, sight), definition);
    }

    /// The current name of the table with the identity's OID in the identity's database; empty where there is none.
    static Optional<TableId> whereabouts(PgConnection session, Identity identity) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement("""
                SELECT n.nspname, c.relname
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.oid = ?::oid AND ? = (SELECT oid::int8 FROM pg_catalog.pg_database WHERE datname = current_database())""")) {
            statement.setLong(1, identity.table().number());
            statement.setLong(2, identity.server().database());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.of(new TableId(row.getString(1), row.getString(2))) : Optional.empty();
            }
        }
    }

    Optional<Boolean> continues(Identity earlier) throws SQLException {
        Optional<Long> before = earlier.server().timeline();
        Optional<Long> now = server.timeline();
        boolean isOtherTimeline = now.isPresent() && before.isPresent() && !now.equals(before);
        return isOtherTimeline ? branchedAfter(earlier) : startedAfter(earlier);
    }

    /// Whether the server was started with everything that it had before; empty where this can no longer be seen. A
    /// server that is put back to older files on its timeline continues to count and log from there. Sooner or later it
    /// overtakes what was remembered, so the place where it began is compared, as long as it can be seen. A standby may
    /// begin anywhere, and replays the rest again.
    private Optional<Boolean> startedAfter(Identity earlier) throws SQLException {
        boolean isStandby = server.isStandby() || earlier.server().isStandby();
        if (isStandby || progress.run().equals(earlier.progress().run())) return Optional.of(true);
        if (can.answers(session, AURORA)) return Optional.of(true);
        if (earlier.progress().reached().isEmpty()) return Optional.empty();
        String[] reached = earlier.progress().reached().get().split(" ");
        if (reached.length == 3 && progress.counter() - earlier.progress().counter() < 1L << 31) {
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
        boolean mayLack = earlier.progress()
                .position()
                .map(seen -> Long.compareUnsigned(began, lsn(seen)) < 0)
                .orElse(false);
        if (mayLack) return Optional.empty();
        return last[1].equals("t") ? Optional.of(true) : Optional.empty();
    }

    /// Whether the new timeline branched off after everything that `earlier` had seen. The timeline's history file
    /// tells where each earlier timeline was left: what was seen before that place is still there.
    private Optional<Boolean> branchedAfter(Identity earlier) throws SQLException {
        if (earlier.progress().position().isEmpty()) return Optional.empty();
        String file = "pg_wal/%08X.history".formatted(server.timeline().orElseThrow());
        String read = can.orNull(session, "pg_read_file('%s', 0, 1000000, true)".formatted(file));
        String[] history = row(session, "SELECT " + read);
        if (history[0] == null) return Optional.empty();
        long seen = lsn(earlier.progress().position().get());
        for (String line : history[0].split("\n")) {
            String[] fields = line.strip().split("\\s+");
            boolean isIt = fields.length >= 2
                    && fields[0].equals(
                            earlier.server().timeline().orElseThrow().toString());
            if (isIt) return Optional.of(Long.compareUnsigned(seen, lsn(fields[1])) <= 0);
        }
        return Optional.of(false);
    }

    /// A WAL position such as `16/B374D848`, as a number.
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
