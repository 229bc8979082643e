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
import dev.perigee.source.postgres.catalog.ObstructedTables;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.source.postgres.session.RoundTrip;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One look at many tables. Each portion of them has a READ COMMITTED transaction, in which each statement sees what
/// was committed before it:
/// 1. the version ([SourceVersion]), the first of which the result is about;
/// 2. the end of each table of the portion.
///
/// The last transaction then reads:
/// 3. the catalog's fingerprints. Where one is still the same, no definition was another in between;
/// 4. where an end differs from the one known, whether there are rows that a sync would pull.
final class PostgresLook {
    /// How long a look waits for a table that somebody else has locked. Then its portion is looked at without that
    /// table, which is left to a sync that waits.
    static final Duration LOCK_LIMIT = Duration.ofMillis(500);

    static final String VERSION = """
            SELECT concat(pg_is_in_recovery(), ' ', %s), pg_current_snapshot()::text, transaction_timestamp(),
                   NOT pg_is_in_recovery(), pg_backend_pid()""".formatted(PostgresHorizon.RUN);

    private static final Logger LOG = LoggerFactory.getLogger(PostgresLook.class);

    /// A watched table, and its end now.
    private record Seen(WatchedTable table, WatchedTable.End end) {}

    private final PgConnection session;
    private final PostgresConnections connections;
    private final SourceConfig config;

    PostgresLook(PgConnection session, PostgresConnections connections, SourceConfig config) {
        this.session = session;
        this.connections = connections;
        this.config = config;
    }

    /// @return empty on a standby, which replays commits in another order than its primary shows them
    Optional<Look> at(List<Look.Portion> portions) throws SQLException {
        boolean isAnyOpen = portions.stream()
                .flatMap(portion -> portion.watched().stream())
                .anyMatch(one -> one.late().isPresent());
        Optional<PostgresHorizon.Before> open = isAnyOpen
                ? Optional.of(PostgresHorizon.look(session, connections, Set.of(), List.of()))
                : Optional.empty();
        Optional<SourceVersion.At> first = Optional.empty();
        List<Seen> seen = new ArrayList<>();
        for (Look.Portion portion : portions) {
            Optional<SourceVersion.At> begun = begin();
            if (first.isEmpty()) first = begun;
            boolean isSame = begun.isPresent()
                    && first.isPresent()
                    && begun.get()
                            .version()
                            .server()
                            .equals(first.get().version().server());
            if (!isSame) return Optional.empty();
            seen.addAll(ends(portion));
        }
        List<TableId> tables =
                portions.stream().flatMap(portion -> portion.tables().stream()).toList();
        return first.isPresent() ? Optional.of(compared(tables, seen, first.get(), open)) : Optional.empty();
    }

    private Look compared(
            List<TableId> tables, List<Seen> seen, SourceVersion.At at, Optional<PostgresHorizon.Before> open)
            throws SQLException {
        Map<TableId, TableDefinition> definitions = definitions(tables, seen);
        Optional<PostgresHorizon> horizon = open.map(before -> before.with(
                PostgresMoment.of(at.version().snapshot()).at(at.asOf()),
                at.version().server()));
        Map<TableId, WatchedTable> unchanged = new HashMap<>();
        // Tables that are unchanged unless they have new rows, as a look confirms them.
        List<WatchedTable> others = new ArrayList<>();
        for (Seen of : seen) {
            WatchedTable one = of.table();
            WatchedTable.End end = of.end();
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
        return new Look(at, definitions, unchanged);
    }

    /// The ends of a portion's tables, but not of those that somebody else has locked or defined anew, if one of these
    /// has the statement fail.
    private List<Seen> ends(Look.Portion portion) throws SQLException {
        try {
            return ends(portion.watched(), portion.isSteady());
        } catch (SQLException e) {
            connections.kept().failed(session, e);
            if (!PostgresFaults.leavesSessionUsable(e)) throw e;
            restart();
            List<WatchedTable> free = readable(portion.watched());
            try {
                return ends(free, false);
            } catch (SQLException again) {
                if (!PostgresFaults.leavesSessionUsable(again)) throw again;
                LOG.debug("the ends of {} tables could not be read: {}", free.size(), again.getMessage());
                restart();
                return List.of();
            }
        }
    }

    private List<WatchedTable> readable(List<WatchedTable> watched) throws SQLException {
        Set<TableId> obstructed = ObstructedTables.of(session);
        String whole = CatalogFingerprints.whole(session, connections.kept());
        List<TableId> tables = watched.stream().map(one -> one.table().id()).toList();
        Map<TableId, TableDefinition> definitions = CatalogFingerprints.of(session, whole, tables);
        return watched.stream()
                .filter(one -> {
                    TableId id = one.table().id();
                    TableDefinition now = definitions.get(id);
                    return !obstructed.contains(id) && now != null && now.isSame(one.definition());
                })
                .toList();
    }

    private void restart() throws SQLException {
        connections.readers().giveBack(session);
        session.rollback();
        begin();
    }

    /// @param isSteady whether it is worth it that the server keeps the statement prepared
    private List<Seen> ends(List<WatchedTable> watched, boolean isSteady) throws SQLException {
        if (watched.isEmpty()) return List.of();
        String sql = TableEnds.sql(watched);
        List<WatchedTable.End> ends;
        if (isSteady) {
            try (RoundTrip.Answers answers =
                    new RoundTrip(session, connections.kept()).ask(sql).send()) {
                ends = TableEnds.read(answers.next());
            }
        } else {
            try (Statement statement = session.createStatement();
                    ResultSet rows = statement.executeQuery(sql)) {
                ends = TableEnds.read(rows);
            }
        }
        List<Seen> seen = new ArrayList<>();
        for (int i = 0; i < ends.size(); i++) seen.add(new Seen(watched.get(i), ends.get(i)));
        return seen;
    }

    /// Ends the transaction that the session is in, and begins the look's.
    private Optional<SourceVersion.At> begin() throws SQLException {
        connections.readers().commit(session);
        try (Statement statement = session.createStatement()) {
            ResultSet row = SnapshotTransaction.lastAnswer(
                    statement,
                    "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY; %s; SET LOCAL lock_timeout = %d; %s"
                            .formatted(SnapshotTransaction.settings(session, config), LOCK_LIMIT.toMillis(), VERSION));
            row.next();
            int process = row.getInt(5);
            connections.readers().lend(session, process);
            connections.kept().isServedBy(session, process);
            return of(row);
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
    private Map<TableId, TableDefinition> definitions(List<TableId> tables, List<Seen> seen) throws SQLException {
        String whole = CatalogFingerprints.whole(session, connections.kept());
        Map<TableId, TableDefinition> definitions = new HashMap<>();
        Set<TableId> unknown = new HashSet<>(tables);
        for (Seen of : seen) {
            WatchedTable one = of.table();
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
        } catch (SQLException e) {
            if (!PostgresFaults.leavesSessionUsable(e)) throw e;
            LOG.debug("new rows of {} tables could not be looked for: {}", asked.size(), e.getMessage());
            restart();
            tables.forEach(table -> with.add(table.table().id())); // a sync will find them
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
