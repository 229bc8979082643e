package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Moment;
import dev.perigee.source.Obstacle;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceTable;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.CatalogNames;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.decode.CopyRows;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.OwnTransactions;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.source.postgres.session.PostgresNames;
import dev.perigee.source.postgres.session.PostgresTransaction;
import dev.perigee.source.postgres.session.TransactionVisibility;
import dev.perigee.source.postgres.statement.AbsentKeys;
import dev.perigee.source.postgres.statement.ChangedRows;
import dev.perigee.source.postgres.statement.CursorEnd;
import dev.perigee.source.postgres.statement.CursorLimit;
import dev.perigee.source.postgres.statement.KeyDigestStatement;
import dev.perigee.source.postgres.statement.PostgresMoment;
import dev.perigee.source.postgres.statement.PullStatement;
import dev.perigee.source.postgres.statement.TidSlices;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.copy.CopyOut;
import org.postgresql.jdbc.PgConnection;

/// One REPEATABLE READ transaction.
///
/// A pull is one `COPY (SELECT …) TO STDOUT (FORMAT BINARY)`, cut into pages on this side. So the source sorts once,
/// and not once per page. Pulls in no order may take several such statements, one for each slice or part of the table.
///
/// All settings of a session are made for the transaction only. So they also hold behind poolers that change the
/// session between two transactions.
final class PostgresSnapshot implements Snapshot {
    /// The WAL position behind everything that the snapshot sees. That includes what was committed with
    /// `synchronous_commit` off and is not yet written to the log's files.
    static final String INSERTED = "pg_current_wal_insert_lsn()::text";

    static final String REPLAYED = "pg_last_wal_replay_lsn()::text";

    /// The system columns that tell which rows changed, and where they lie.
    private static final String SYSTEM_COLUMNS = "xmin, ctid, tableoid";

    private final PgConnection session;
    private final SourceConfig config;
    private final PostgresHorizon horizon;
    private final Optional<Instant> asOf;
    private final Optional<String> position;
    private final int serverVersion;
    private final Capabilities can;
    private @Nullable PostgresIdentity identity;
    private boolean isFiltering;

    /// Tables that were locked before the snapshot was taken.
    private final Set<TableId> locked;

    /// By table, why all its rows must be read to find those that changed; empty where they need not be.
    private final Map<TableId, Optional<Obstacle>> untold = new HashMap<>();

    /// The columns of tables. They are kept because they do not change within a snapshot, and each question is a round
    /// trip.
    private final Map<TableId, List<CatalogColumn>> catalog = new HashMap<>();

    private PostgresSnapshot(
            PgConnection session,
            SourceConfig config,
            PostgresHorizon horizon,
            Optional<Instant> asOf,
            Optional<String> position,
            int serverVersion,
            Set<TableId> locked,
            Capabilities can) {
        this.session = session;
        this.config = config;
        this.horizon = horizon;
        this.asOf = asOf;
        this.position = position;
        this.serverVersion = serverVersion;
        this.locked = locked;
        this.can = can;
    }

    /// Ends the transaction that `session` is in, reads which transactions are open, and begins the snapshot's own.
    /// Where our rights allow it, its tables are locked before the snapshot is taken, in the mode of any read. So the
    /// catalog and the rows are of one definition.
    ///
    /// @param connections knows our sessions that only read, and what the server answers
    static PostgresSnapshot begin(
            PgConnection session, SourceConfig config, List<TableId> tables, PostgresConnections connections)
            throws SQLException {
        try {
            return begun(session, config, tables, connections.readers(), connections.capabilities());
        } catch (SQLException e) {
            connections.capabilities().forget();
            throw e;
        }
    }

    private static PostgresSnapshot begun(
            PgConnection session, SourceConfig config, List<TableId> tables, OwnTransactions readers, Capabilities can)
            throws SQLException {
        Map<Integer, Long> ours = readers.lent();
        PostgresHorizon.Before before = PostgresHorizon.look(session, can, ours.keySet(), tables);
        if (!readers.areStill(ours)) before = PostgresHorizon.look(session, can, Set.of(), tables);
        readers.commit(session);
        String locks = tables.stream()
                .filter(before.lockable()::contains)
                .map(PostgresNames::table)
                .collect(Collectors.joining(", "));
        execute(session, """
                SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
                SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601';
                SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL row_security = off;
                SET LOCAL statement_timeout = %d; %s%s""".formatted(
                        config.limits().statementTimeout().toMillis(),
                        PostgresTransaction.withoutRoleLimits(session),
                        locks.isEmpty() ? "" : "; LOCK TABLE " + locks + " IN ACCESS SHARE MODE"));
        String position = can.orNull(session, before.isStandby() ? REPLAYED : INSERTED);
        String server = can.orNull(session, PostgresHorizon.SERVER);
        // All times are by one clock, the primary's: a standby's own clock continues while nothing is replayed.
        String clock = before.isStandby()
                ? "coalesce(%s, clock_timestamp())".formatted(can.orNull(session, PostgresHorizon.REPLAYED_AT))
                : "clock_timestamp()";
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT pg_current_snapshot()::text, %s, %s,
                               current_setting('server_version_num')::int, transaction_timestamp(), pg_backend_pid(),
                               concat(pg_is_in_recovery(), ' ', %s)""".formatted(clock, position, server))) {
            row.next();
            readers.lend(session, row.getInt(6));
            PostgresMoment numbers = PostgresMoment.of(row.getString(1));
            Moment now = numbers.at(row.getObject(2, OffsetDateTime.class).toInstant());
            PostgresHorizon horizon = before.with(now, String.valueOf(row.getString(7)));
            Instant begun = row.getObject(5, OffsetDateTime.class).toInstant();
            return new PostgresSnapshot(
                    session,
                    config,
                    horizon,
                    before.isStandby() ? horizon.settled() : horizon.settled().map(_ -> begun),
                    Optional.ofNullable(row.getString(3)),
                    row.getInt(4),
                    before.lockable(),
                    can);
        }
    }

    @Override
    public Moment moment() {
        return horizon.now();
    }

    /// The time at which the transaction began, before its snapshot was taken. No later time will do: a statement that
    /// asks for the time has a snapshot already. On a standby, the time up to which it had replayed before.
    @Override
    public Optional<Instant> asOf() {
        return asOf;
    }

    @Override
    public PostgresHorizon horizon() {
        return horizon;
    }

    @Override
    public Optional<String> position() {
        return position;
    }

    @Override
    public long pull(Pull pull, PageSink sink) {
        return asked(pull.table(), () -> {
            ChangedRows changed = changedRows(pull.table());
            PullStatement statement =
                    new PullStatement(pull, columns(pull.table().id()), changed, CatalogNames.isUnchecked(session));
            settle(path(pull.table(), statement.schemas()));
            Pages pages = new Pages(statement, sink);
            if (pull.scope() instanceof Scope.Changed || pull.scope() instanceof Scope.InBuckets) {
                List<String> slices =
                        changed.isReadable() ? TidSlices.of(session, pull.table(), serverVersion) : List.of("");
                for (String slice : slices) copy(statement, slice, pages);
            } else if (pull.scope() instanceof Scope.Parts(var parts) && changed.isReadable()) {
                for (long part : parts) copy(statement, "r.tableoid = %d".formatted(part), pages);
            } else {
                copy(statement, "", pages);
            }
            return pages.end();
        });
    }

    @Override
    public Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen) {
        // The snapshot's time is not by the clock that counts.
        if (horizon.settled().isEmpty()) return new Limit(Optional.empty(), false);
        return asked(
                table,
                () -> new CursorLimit(session, table, columns(table.id()), cursorColumn, serverVersion)
                        .of(seen, moment().at()));
    }

    @Override
    public List<Integer> absent(
            SourceTable table,
            List<String> key,
            Set<String> spelled,
            List<List<String>> keys,
            Optional<List<String>> from,
            Optional<List<String>> upTo) {
        return asked(table, () -> {
            Set<String> schemas = new TreeSet<>();
            for (CatalogColumn column : columns(table.id())) {
                if (key.contains(column.name())) schemas.add(column.type().schema());
            }
            schemas.remove("pg_catalog");
            settle(path(table, schemas));
            return new AbsentKeys(session, table, key, spelled).of(keys, from, upTo);
        });
    }

    @Override
    public long count(SourceTable table) {
        return asked(table, () -> {
            try (Statement statement = session.createStatement();
                    ResultSet row = statement.executeQuery("SELECT count(*) FROM " + PostgresNames.table(table.id()))) {
                row.next();
                return row.getLong(1);
            }
        });
    }

    @Override
    public Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
        return asked(keys.table(), () -> KeyDigestStatement.run(session, config, keys, buckets, serverVersion));
    }

    @Override
    public List<Obstacle> obstacles(SourceTable table) {
        return asked(table, () -> {
            List<Obstacle> found = new ArrayList<>();
            if (hasNumbers(table)) untold(table).ifPresent(found::add);
            if (table.access().isFiltered()) hiding(table).ifPresent(found::add);
            return found;
        });
    }

    @Override
    public Optional<String> viewer(SourceTable table) {
        return table.access().isFiltered() ? Optional.of(horizon.server().user()) : Optional.empty();
    }

    @Override
    public Optional<Identity> identity(SourceTable table) {
        return asked(table, () -> Optional.of(identities().of(table, config)));
    }

    @Override
    public Optional<Boolean> continues(Identity earlier) {
        return PostgresFaults.guard(config.place(), config, () -> identities().continues(earlier));
    }

    @Override
    public Optional<Boolean> keepsRowsOf(SourceTable table, Identity earlier, long part) {
        Optional<String> changed = asked(
                table, () -> changedRows(table).since(table, earlier.progress().mark()));
        if (changed.isEmpty()) return Optional.empty();
        String sql = "SELECT EXISTS (SELECT FROM %s AS r WHERE r.tableoid = %d AND NOT %s)"
                .formatted(PostgresNames.table(table.id()), part, changed.get());
        return asked(table, () -> Optional.of(first(sql).equals(Optional.of("t"))));
    }

    @Override
    public boolean isAsDescribed(SourceTable table) {
        return asked(table, () -> {
            List<String> now = columns(table.id()).stream()
                    .map(c -> "%d %s %s".formatted(c.number(), c.formattedType(), c.name()))
                    .toList();
            List<String> described = table.columns().stream()
                    .map(c -> "%d %s %s".formatted(c.identity(), c.sourceType(), c.name()))
                    .toList();
            return now.equals(described);
        });
    }

    @Override
    public Optional<HighWaterMark> greatest(SourceTable table, String cursorColumn, List<String> key) {
        return asked(table, () -> new CursorEnd(session, table, cursorColumn).greatest(key));
    }

    @Override
    public boolean isBehind(SourceTable table, String cursorColumn, HighWaterMark seen) {
        return asked(
                table,
                () -> new CursorEnd(session, table, cursorColumn)
                        .isBehind(seen.cursor().orElseThrow()));
    }

    private <T> T asked(SourceTable table, PostgresFaults.Asking<T> asking) {
        return PostgresFaults.guard("table " + table.id(), config, () -> {
            filter(table.access().isFiltered());
            return asking.ask();
        });
    }

    /// Sets whether the next read may leave out rows that policies hide, or is refused then.
    private void filter(boolean isWanted) throws SQLException {
        if (isFiltering == isWanted) return;
        execute(session, "SET LOCAL row_security = " + (isWanted ? "on" : "off"));
        isFiltering = isWanted;
    }

    /// Whether policies hide rows of a table that is read all the same. Only an unfiltered read tells.
    private Optional<Obstacle> hiding(SourceTable table) throws SQLException {
        filter(false);
        Optional<SQLException> refusal =
                Capabilities.refusal(session, "SELECT FROM %s LIMIT 0".formatted(PostgresNames.table(table.id())));
        return refusal.filter(PostgresFaults::hidesRows)
                .map(said -> Obstacle.of(
                        Obstacle.Effect.NOTE,
                        "`rowSecurity` is `filtered`, and row-level security may hide rows from %s: %s; where a policy reads another table and that table changes, rows that become visible come with a resync or a repair, and sweeps find those that do not stay visible"
                                .formatted(horizon.server().user(), PostgresFaults.said(said))));
    }

    private PostgresIdentity identities() throws SQLException {
        PostgresIdentity known = identity;
        if (known == null) {
            known = PostgresIdentity.of(session, can, horizon.numbers(), position);
            identity = known;
        }
        return known;
    }

    private ChangedRows changedRows(SourceTable table) throws SQLException {
        return new ChangedRows(
                horizon.numbers(), hasNumbers(table) && untold(table).isEmpty());
    }

    private static boolean hasNumbers(SourceTable table) {
        return table.kind() != SourceTable.Kind.VIEW && table.kind() != SourceTable.Kind.FOREIGN_TABLE;
    }

    private Optional<Obstacle> untold(SourceTable table) throws SQLException {
        Optional<Obstacle> known = untold.get(table.id());
        if (known != null) return known;
        List<String> extensions = horizon.server().extensions();
        // LOCK TABLE needs the right to read the whole table.
        boolean isSure = locked.contains(table.id()) && !extensions.contains(TransactionVisibility.TIMESCALE);
        Optional<Obstacle> found = extensions.contains(TransactionVisibility.CITUS)
                ? Optional.of(
                        allRead(
                                "Citus numbers transactions on each server separately, so rows do not tell when they were written"))
                : isSure ? Optional.empty() : triedToTell(table);
        untold.put(table.id(), found);
        return found;
    }

    /// Tries to read the system columns. A role that was granted single columns has no right to them, because nobody
    /// thinks of granting it. Compressed chunks of TimescaleDB do not have them.
    private Optional<Obstacle> triedToTell(SourceTable table) throws SQLException {
        String name = PostgresNames.table(table.id());
        Optional<SQLException> refusal =
                Capabilities.refusal(session, "SELECT %s FROM %s LIMIT 0".formatted(SYSTEM_COLUMNS, name));
        if (refusal.isEmpty()) return Optional.empty();
        SQLException said = refusal.get();
        if (PostgresFaults.hidesRows(said)) throw said;
        if (!PostgresFaults.state(said).equals("42501")) {
            return Optional.of(
                    allRead("it does not answer %s: %s".formatted(SYSTEM_COLUMNS, PostgresFaults.said(said))));
        }
        String user = horizon.server().user();
        return Optional.of(new Obstacle(
                Obstacle.Effect.DEARER,
                allRead("%s may not read %s, which tell which rows changed".formatted(user, SYSTEM_COLUMNS))
                        .what(),
                List.of(
                        "GRANT SELECT (%s) ON %s TO %s".formatted(SYSTEM_COLUMNS, name, PostgresNames.name(user)),
                        "GRANT SELECT ON %s TO %s".formatted(name, PostgresNames.name(user)))));
    }

    private static Obstacle allRead(String why) {
        return Obstacle.of(Obstacle.Effect.DEARER, why + "; all rows are read at each sync");
    }

    private Optional<String> first(String sql) throws SQLException {
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
        }
    }

    /// Takes the lock that any read takes, where it is not held already. So what the catalog says next stays true until
    /// the transaction ends. The search path is reset, because an earlier pull may have set one in which the catalog
    /// writes types by other names.
    private List<CatalogColumn> columns(TableId table) throws SQLException {
        List<CatalogColumn> known = catalog.get(table);
        if (known != null) return known;
        String lock = locked.contains(table) ? "" : "; SELECT FROM %s LIMIT 0".formatted(PostgresNames.table(table));
        execute(session, "SET LOCAL search_path TO DEFAULT" + lock);
        List<CatalogColumn> asked = PostgresCatalog.columns(session, table);
        catalog.put(table, asked);
        return asked;
    }

    private void copy(PullStatement statement, String slice, Pages pages) throws SQLException {
        CopyOut copy = session.getCopyAPI().copyOut(statement.sql(session, slice));
        try {
            CopyRows rows = new CopyRows(copy, statement.fieldCount());
            while (rows.next()) pages.row(rows);
            pages.endOfStatement(rows);
        } catch (RuntimeException | Error e) {
            // The answer is only half read. Tell the source to stop; the connection is not used again.
            if (copy.isActive()) session.cancelQuery();
            throw e;
        }
    }

    /// The schemas in which operators and types are looked up. What a view's functions call is looked up there too.
    private List<String> path(SourceTable table, Set<String> schemas) {
        List<String> path = new ArrayList<>(List.of("pg_catalog"));
        path.addAll(schemas);
        if (table.kind() == SourceTable.Kind.VIEW) path.addAll(List.of(config.defaultSchema(), "public"));
        return path;
    }

    /// Sets what the text forms depend on, and the time limit. A load may take hours, but the source must never be
    /// silent for longer than a statement may take. So the limit is the network's, which counts from byte to byte.
    private void settle(List<String> path) throws SQLException {
        String quoted = path.stream().map(PostgresNames::name).collect(Collectors.joining(", "));
        execute(session, "SET LOCAL search_path = %s; SET LOCAL statement_timeout = 0".formatted(quoted));
        session.setNetworkTimeout(
                Runnable::run,
                Math.toIntExact(config.limits().statementTimeout().toMillis()));
    }

    private static void execute(PgConnection session, String sql) throws SQLException {
        try (Statement statement = session.createStatement()) {
            statement.execute(sql);
        }
    }
}
