package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig.NumericStorage;
import dev.perigee.config.TableConfig.TimestampStorage;
import dev.perigee.source.Look;
import dev.perigee.source.Moment;
import dev.perigee.source.Pull;
import dev.perigee.source.Scope;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableDefinition;
import dev.perigee.source.TableId;
import dev.perigee.source.WatchedTable;
import dev.perigee.source.postgres.catalog.CatalogColumn;
import dev.perigee.source.postgres.catalog.CatalogFingerprints;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.statement.ChangedRows;
import dev.perigee.source.postgres.statement.PostgresMoment;
import dev.perigee.source.postgres.statement.PullStatement;
import dev.perigee.source.postgres.statement.TableEnds;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.postgresql.jdbc.PgConnection;

/// One look at many tables, in one READ COMMITTED transaction, in which each statement sees what was committed before
/// it:
/// 1. the version ([SourceVersion]), which the result is about;
/// 2. the end of each table, which locks the tables against a new definition until the transaction ends;
/// 3. the catalog's fingerprints. So the definitions are those by which the ends were read.
/// 4. Where an end differs from the one known, whether there are rows that a sync would pull.
final class PostgresLook {
    /// How long a look waits for a table that somebody else has locked. Then the look fails, and its tables are synced
    /// one by one, so that only the locked one waits.
    static final Duration LOCK_LIMIT = Duration.ofMillis(500);

    /// SQLSTATE `invalid_sql_statement_name`: somebody else has deallocated it.
    private static final String UNKNOWN_STATEMENT = "26000";

    static final String VERSION = """
            SELECT concat(pg_is_in_recovery(), ' ', %s), pg_current_snapshot()::text, transaction_timestamp(),
                   NOT pg_is_in_recovery(), pg_backend_pid()""".formatted(PostgresHorizon.RUN);

    private final PgConnection session;
    private final PostgresConnections connections;
    private final SourceConfig config;

    PostgresLook(PgConnection session, PostgresConnections connections, SourceConfig config) {
        this.session = session;
        this.connections = connections;
        this.config = config;
    }

    /// @param tables the tables whose definitions are asked for
    /// @param watched tables of which it is asked whether they have anything new
    /// @param isSteady whether the same tables were watched by the looks before
    /// @return empty on a standby, which replays commits in another order than its primary shows them
    Optional<Look> at(List<TableId> tables, List<WatchedTable> watched, boolean isSteady) throws SQLException {
        boolean isAnyOpen = watched.stream().anyMatch(one -> one.late().isPresent());
        Optional<PostgresHorizon.Before> open = isAnyOpen
                ? Optional.of(PostgresHorizon.look(session, connections.capabilities(), Set.of(), List.of()))
                : Optional.empty();
        Optional<Asked> asked = begin();
        if (asked.isEmpty()) return Optional.empty();
        SourceVersion.At at = asked.get().at();
        List<WatchedTable.End> ends = watched.isEmpty()
                ? List.of()
                : ends(watched, isSteady && asked.get().isDirect());
        Map<TableId, TableDefinition> definitions = definitions(tables, watched);
        Optional<PostgresHorizon> horizon = open.map(before -> before.with(
                PostgresMoment.of(at.version().snapshot()).at(at.asOf()),
                at.version().server()));
        Map<TableId, WatchedTable> unchanged = new HashMap<>();
        // Tables that are unchanged unless they have new rows, as a look confirms them.
        List<WatchedTable> others = new ArrayList<>();
        for (int i = 0; i < watched.size(); i++) {
            WatchedTable one = watched.get(i);
            WatchedTable.End end = ends.get(i);
            TableDefinition now = definitions.get(one.table().id());
            boolean mayBe = now != null
                    && now.isSame(one.definition())
                    && !one.isSetBack(end)
                    && one.late()
                            .filter(late -> horizon.map(late.isDecided()::test).orElse(true))
                            .isEmpty();
            if (now == null || !mayBe) continue;
            WatchedTable confirmed = one.confirmed(now, end);
            boolean isAsBefore = one.late().isEmpty() && one.end().equals(Optional.of(end));
            if (isAsBefore) unchanged.put(one.table().id(), confirmed);
            else others.add(confirmed);
        }
        Set<TableId> withNew = withNewRows(others, at);
        others.forEach(one -> {
            if (!withNew.contains(one.table().id())) unchanged.put(one.table().id(), one);
        });
        return Optional.of(new Look(at, definitions, unchanged));
    }

    /// @param isKept whether the server is to keep the statement prepared
    private List<WatchedTable.End> ends(List<WatchedTable> watched, boolean isKept) throws SQLException {
        String sql = TableEnds.sql(watched);
        if (!isKept) return TableEnds.read(session, sql);
        try {
            return TableEnds.read(session, connections.kept().kept(session, sql));
        } catch (SQLException e) {
            if (UNKNOWN_STATEMENT.equals(e.getSQLState())) connections.kept().forget(session);
            throw e;
        }
    }

    /// @param isDirect whether no pooler is in between, so that what is prepared stays with the session
    private record Asked(SourceVersion.At at, boolean isDirect) {}

    /// Ends the transaction that the session is in, and begins the look's.
    private Optional<Asked> begin() throws SQLException {
        connections.readers().commit(session);
        try (Statement statement = session.createStatement()) {
            ResultSet row = SnapshotTransaction.lastAnswer(
                    statement,
                    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY; %s; SET LOCAL lock_timeout = %d; %s"
                            .formatted(SnapshotTransaction.settings(session, config), LOCK_LIMIT.toMillis(), VERSION));
            row.next();
            int process = row.getInt(5);
            connections.readers().lend(session, process);
            // A pooler invents the number that it tells at the login.
            return of(row).map(at -> new Asked(at, session.getBackendPID() == process));
        }
    }

    /// The version in a row that [#VERSION] answers; empty on a standby.
    static Optional<SourceVersion.At> of(ResultSet row) throws SQLException {
        if (!row.getBoolean(4)) return Optional.empty();
        return Optional.of(new SourceVersion.At(
                new SourceVersion(row.getString(1), row.getString(2)),
                row.getObject(3, OffsetDateTime.class).toInstant()));
    }

    /// Only where the whole catalog's fingerprint has changed are the tables' own read.
    private Map<TableId, TableDefinition> definitions(List<TableId> tables, List<WatchedTable> watched)
            throws SQLException {
        String whole = CatalogFingerprints.whole(session);
        Map<TableId, TableDefinition> definitions = new HashMap<>();
        Set<TableId> unknown = new HashSet<>(tables);
        for (WatchedTable one : watched) {
            TableId id = one.table().id();
            if (one.definition().catalog().equals(whole)) {
                definitions.put(id, one.definition());
                unknown.remove(id);
            } else {
                unknown.add(id);
            }
        }
        if (!unknown.isEmpty()) definitions.putAll(CatalogFingerprints.of(session, whole, List.copyOf(unknown)));
        return definitions;
    }

    /// Those of the tables that have rows that a sync would pull.
    private Set<TableId> withNewRows(List<WatchedTable> tables, SourceVersion.At at) throws SQLException {
        Set<TableId> with = new HashSet<>();
        if (tables.isEmpty()) return with;
        Moment now = PostgresMoment.of(at.version().snapshot()).at(at.asOf());
        ChangedRows changed = new ChangedRows(PostgresMoment.of(now.mark()), true);
        Map<TableId, List<CatalogColumn>> columns = PostgresCatalog.columns(
                session, tables.stream().map(one -> one.table().id()).toList());
        List<String> asked = new ArrayList<>();
        for (int i = 0; i < tables.size(); i++) {
            WatchedTable table = tables.get(i);
            TableId id = table.table().id();
            List<String> found = new ArrayList<>();
            boolean isPlain = true;
            for (Scope scope : scopes(table)) {
                PullStatement statement =
                        new PullStatement(pull(table, scope), columns.getOrDefault(id, List.of()), changed, false);
                isPlain &= statement.schemas().isEmpty();
                found.add(statement.exists(session));
            }
            if (isPlain) asked.add("SELECT %d WHERE %s".formatted(i, String.join(" OR ", found)));
            else with.add(id); // its comparison depends on the search path
        }
        if (asked.isEmpty()) return with;
        try (Statement statement = session.createStatement();
                ResultSet row = statement.executeQuery(String.join(" UNION ALL ", asked))) {
            while (row.next()) with.add(tables.get(row.getInt(1)).table().id());
        }
        return with;
    }

    private static List<Scope> scopes(WatchedTable table) {
        List<Scope> scopes = new ArrayList<>(List.of(new Scope.After(table.cursorColumn(), table.seen())));
        if (table.mayLackCursor()) scopes.add(new Scope.NullCursor(table.cursorColumn(), table.looked()));
        table.late().ifPresent(late -> scopes.add(late.scope()));
        return scopes;
    }

    private static Pull pull(WatchedTable table, Scope scope) {
        return new Pull(table.table(), table.key(), table.key(), scope, 1, NumericStorage.TEXT, TimestampStorage.ISO);
    }
}
