package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Expression;
import dev.perigee.source.HighWaterMark;
import dev.perigee.source.Identity;
import dev.perigee.source.KeyBuckets;
import dev.perigee.source.KeyDigests;
import dev.perigee.source.Moment;
import dev.perigee.source.Obstacle;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.Snapshot;
import dev.perigee.source.SourceColumn;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableId;
import dev.perigee.source.VisibleTransactions;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.CatalogNames;
import dev.perigee.source.postgres.session.Capabilities;
import dev.perigee.source.postgres.session.KeptStatements;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.source.postgres.session.PostgresNames;
import dev.perigee.source.postgres.statement.AbsentKeys;
import dev.perigee.source.postgres.statement.ChangedRows;
import dev.perigee.source.postgres.statement.CursorEnd;
import dev.perigee.source.postgres.statement.CursorLimit;
import dev.perigee.source.postgres.statement.KeyDigestStatement;
import dev.perigee.source.postgres.statement.PostgresMoment;
import dev.perigee.source.postgres.statement.PullStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// A snapshot of a PostgreSQL server: what is read in one REPEATABLE READ transaction ([SnapshotTransaction]).
///
/// Each read of a table says first whether row-level security may leave rows out of it, and its failures name the
/// table.
final class PostgresSnapshot implements Snapshot {
    private final SnapshotTransaction transaction;
    private final PostgresHorizon horizon;
    private final SourceConfig config;
    private final KeptStatements kept;
    private final SnapshotColumns columns;
    private final RowVersions versions;
    private final TableReads reads;
    private @Nullable PostgresIdentity identity;
    private final Map<TableId, Identity> identified = new HashMap<>();
    private boolean isFiltering;

    private PostgresSnapshot(
            SnapshotTransaction transaction, SourceConfig config, KeptStatements kept, ColumnMemory memory) {
        this.transaction = transaction;
        this.horizon = transaction.horizon();
        this.config = config;
        this.kept = kept;
        this.versions = new RowVersions(transaction);
        this.reads = new TableReads(transaction, config);
        this.columns = new SnapshotColumns(transaction, memory, reads);
    }

    /// As [SnapshotTransaction#begin].
    ///
    /// @param memory columns of tables that earlier snapshots have read
    static PostgresSnapshot begin(
            PgConnection session,
            SourceConfig config,
            List<TableId> tables,
            PostgresConnections connections,
            ColumnMemory memory)
            throws SQLException {
        SnapshotTransaction transaction = SnapshotTransaction.begin(session, config, tables, connections);
        return new PostgresSnapshot(transaction, config, connections.kept(), memory);
    }

    @Override
    public Moment moment() {
        return horizon.now();
    }

    /// The time at which the transaction began, before its snapshot was taken. No later time will do: a statement that
    /// asks for the time has a snapshot already. On a standby, the time up to which it had replayed before.
    @Override
    public Optional<Instant> asOf() {
        return transaction.asOf();
    }

    @Override
    public PostgresHorizon horizon() {
        return horizon;
    }

    @Override
    public Optional<String> position() {
        return transaction.position();
    }

    @Override
    public Optional<SourceVersion> version() {
        return transaction.version();
    }

    @Override
    public Optional<VisibleTransactions> visible() {
        return Optional.of(transaction.visible());
    }

    @Override
    public long pull(Pull pull, PageSink sink) {
        return asked(pull.table(), () -> {
            ChangedRows changed = versions.changedRows(pull.table());
            boolean isUnchecked = CatalogNames.isUnchecked(transaction.session());
            PullStatement statement =
                    new PullStatement(pull, columns.of(pull.table().id()), changed, isUnchecked);
            return reads.pull(pull, statement, changed.isReadable(), sink);
        });
    }

    @Override
    public Limit limit(SourceTable table, String cursorColumn, HighWaterMark seen) {
        // The snapshot's time is not by the clock that counts.
        if (horizon.settled().isEmpty()) return new Limit(Optional.empty(), false);
        return asked(
                table,
                () -> new CursorLimit(
                                transaction.session(),
                                table,
                                columns.of(table.id()),
                                cursorColumn,
                                transaction.serverVersion(),
                                table.column(cursorColumn).flatMap(column -> lastNumber(table, column)))
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
            for (CatalogColumn column : columns.of(table.id())) {
                if (key.contains(column.name())) schemas.add(column.type().schema());
            }
            table.access().slice().map(Expression::schemas).ifPresent(schemas::addAll);
            schemas.remove("pg_catalog");
            reads.settle(table, schemas);
            return new AbsentKeys(transaction.session(), table, key, spelled).of(keys, from, upTo);
        });
    }

    @Override
    public long count(SourceTable table) {
        return asked(table, () -> {
            if (table.access().slice().isPresent())
                reads.settle(table, new TreeSet<>(table.access().slice().get().schemas()));
            String counted = "SELECT count(*) FROM %s AS r WHERE true%s"
                    .formatted(PostgresNames.table(table.id()), PullStatement.inSlice(table));
            return Long.parseLong(transaction.first(counted).orElseThrow());
        });
    }

    @Override
    public Optional<KeyDigests> keyDigests(Pull keys, KeyBuckets buckets) {
        return asked(keys.table(), () -> {
            reads.isReset(); // the statement sets a path of its own
            return KeyDigestStatement.run(transaction.session(), config, keys, buckets, transaction.serverVersion());
        });
    }

    @Override
    public List<Obstacle> obstacles(SourceTable table) {
        return asked(table, () -> {
            List<Obstacle> found = new ArrayList<>();
            versions.obstacle(table).ifPresent(found::add);
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
        return asked(table, () -> {
            PostgresIdentity.OfTable found = PostgresIdentity.of(transaction, kept, progress(), table, config);
            identity = found.server();
            identified.put(table.id(), found.identity());
            reads.isSettled(List.of(TableReads.BUILT_IN));
            found.definition().ifPresent(definition -> columns.isDefined(table.id(), definition));
            return Optional.of(found.identity());
        });
    }

    @Override
    public Optional<Boolean> continues(Identity earlier) {
        return PostgresFaults.guard(config.place(), config, () -> identities().continues(earlier));
    }

    @Override
    public Optional<Boolean> keepsRowsOf(SourceTable table, Identity earlier, long part) {
        Optional<String> changed = asked(
                table,
                () -> versions.changedRows(table)
                        .since(table, earlier.progress().mark()));
        if (changed.isEmpty()) return Optional.empty();
        String sql = "SELECT EXISTS (SELECT FROM %s AS r WHERE r.tableoid = %d AND NOT %s)"
                .formatted(PostgresNames.table(table.id()), part, changed.get());
        return asked(table, () -> Optional.of(transaction.first(sql).equals(Optional.of("t"))));
    }

    @Override
    public boolean isAsDescribed(SourceTable table) {
        return asked(table, () -> {
            List<String> now = columns.of(table.id()).stream()
                    .map(c -> "%d %s %s".formatted(c.number(), c.formattedType(), c.name()))
                    .toList();
            List<String> described = table.columns().stream()
                    .flatMap(c -> table.used(c.name()).stream())
                    .map(c -> "%d %s %s".formatted(c.identity(), c.type(), c.name()))
                    .toList();
            return now.equals(described);
        });
    }

    @Override
    public Optional<HighWaterMark> greatest(SourceTable table, String cursorColumn, List<String> key) {
        return asked(table, () -> new CursorEnd(transaction.session(), table, cursorColumn).greatest(key));
    }

    @Override
    public boolean isBehind(SourceTable table, String cursorColumn, HighWaterMark seen) {
        return asked(
                table,
                () -> new CursorEnd(transaction.session(), table, cursorColumn)
                        .isBehind(seen.cursor().orElseThrow()));
    }

    private Optional<Long> lastNumber(SourceTable table, SourceColumn column) {
        return Optional.ofNullable(identified.get(table.id()))
                .map(known -> known.table().sequences().get(column.identity()));
    }

    private Identity.Progress progress() {
        PostgresMoment numbers = horizon.numbers();
        return new Identity.Progress(
                numbers.xmax(),
                numbers.xmin() + ":" + numbers.xmax(),
                transaction.position(),
                Optional.empty(),
                Optional.empty());
    }

    private <T> T asked(SourceTable table, PostgresFaults.Asking<T> asking) {
        return PostgresFaults.guard("table " + table.id(), config, () -> {
            filter(table.access().isFiltered());
            try {
                return asking.ask();
            } catch (SQLException e) {
                if (table.access().hasExpressions() && PostgresFaults.state(e).startsWith("22")) throw ofARow(table, e);
                throw e;
            }
        });
    }

    /// The fault for an expression that failed on the values of a row. The server's message may hold such a value, so
    /// neither it nor the exception is passed on.
    private static PerigeeException ofARow(SourceTable table, SQLException e) {
        return Fault.SOURCE_FAILED.in(
                "table " + table.id(),
                "`where`, or an expression of `columns`, fails on a row of the table (SQLSTATE %s)"
                        .formatted(PostgresFaults.state(e)),
                "Nothing was read",
                "write the expression so that it has a value for every row, for example with CASE");
    }

    /// Sets whether the next read may leave out rows that policies hide, or is refused then.
    private void filter(boolean isWanted) throws SQLException {
        if (isFiltering == isWanted) return;
        transaction.execute("SET LOCAL row_security = " + (isWanted ? "on" : "off"));
        isFiltering = isWanted;
    }

    /// Whether policies hide rows of a table that is read all the same. Only an unfiltered read tells.
    private Optional<Obstacle> hiding(SourceTable table) throws SQLException {
        filter(false);
        Optional<SQLException> refusal = Capabilities.refusal(
                transaction.session(), "SELECT FROM %s LIMIT 0".formatted(PostgresNames.table(table.id())));
        return refusal.filter(PostgresFaults::hidesRows)
                .map(said -> Obstacle.of(
                        Obstacle.Effect.NOTE,
                        "`rowSecurity` is `filtered`, and row-level security may hide rows from %s: %s; where a policy reads another table and that table changes, rows that become visible come with a resync or a repair, and sweeps find those that do not stay visible"
                                .formatted(horizon.server().user(), PostgresFaults.said(said))));
    }

    private PostgresIdentity identities() throws SQLException {
        return Objects.requireNonNull(identity, "the table's identity is asked for first");
    }
}
