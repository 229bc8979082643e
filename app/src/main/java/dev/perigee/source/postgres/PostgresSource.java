package dev.perigee.source.postgres;

import dev.perigee.config.SourceConfig;
import dev.perigee.config.TableConfig;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.Identity;
import dev.perigee.source.Look;
import dev.perigee.source.Obstacle;
import dev.perigee.source.Snapshot;
import dev.perigee.source.Source;
import dev.perigee.source.SourceLog;
import dev.perigee.source.SourceReport;
import dev.perigee.source.SourceTable;
import dev.perigee.source.SourceVersion;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.catalog.PostgresCatalog;
import dev.perigee.source.postgres.log.PostgresLog;
import dev.perigee.source.postgres.session.Canceller;
import dev.perigee.source.postgres.session.PostgresConnections;
import dev.perigee.source.postgres.statement.PostgresQuery;
import dev.perigee.statement.FreshnessToken;
import dev.perigee.statement.SourceAnswers;
import dev.perigee.statement.SqlStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// PostgreSQL 13 to 18 as a source.
///
/// All settings of a session are made for one transaction only. So they also hold behind poolers that change the
/// session between two transactions. [PostgresSnapshot] reads the rows.
public final class PostgresSource implements Source {
    private final SourceConfig config;
    private final PostgresConnections connections;
    private final ColumnMemory memory = new ColumnMemory();
    private final CheckedExpressions expressions;
    private final PostgresLog log;

    /// Does not connect yet.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#CONFIG_INVALID] for connection options that
    ///     are unknown or invalid
    public PostgresSource(SourceConfig config) {
        this.config = config;
        this.connections = new PostgresConnections(config);
        this.expressions = new CheckedExpressions(config, connections);
        this.log = new PostgresLog(config, connections);
    }

    @Override
    public Info info() {
        return connections.read(config.place(), connection -> {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SHOW server_version")) {
                row.next();
                return new Info("PostgreSQL " + row.getString(1), config.place());
            }
        });
    }

    @Override
    public SourceReport probe() {
        return connections.read(
                config.place(),
                session -> PostgresProbe.report(
                        session,
                        config,
                        connections.capabilities(),
                        PostgresSnapshot.begin(session, config, List.of(), connections, memory)));
    }

    @Override
    public Map<TableId, List<Obstacle>> obstacles(List<SourceTable> tables) {
        return connections.read(
                config.place(),
                session -> new TableObstacles(
                                session, PostgresSnapshot.begin(session, config, List.of(), connections, memory))
                        .of(tables));
    }

    @Override
    public String place() {
        return config.place();
    }

    @Override
    public List<SourceTable> discover() {
        return connections.read(config.place(), PostgresCatalog::discover);
    }

    @Override
    public SourceTable describe(String name) {
        return connections.read(
                "table " + name, connection -> PostgresCatalog.describe(connection, name, config.defaultSchema()));
    }

    @Override
    public SourceTable selected(SourceTable table, TableConfig.Reading reading) {
        return expressions.selected(table, reading);
    }

    @Override
    public List<SourceTable> describe(List<String> names) {
        return connections.read(
                config.place(), connection -> PostgresCatalog.describe(connection, names, config.defaultSchema()));
    }

    @Override
    public Optional<TableId> whereabouts(Identity identity) {
        return connections.read(config.place(), session -> PostgresIdentity.whereabouts(session, identity));
    }

    @Override
    public Optional<SourceVersion.At> version() {
        return connections.ask(config.place(), session -> {
            try (Statement statement = session.createStatement();
                    ResultSet row = statement.executeQuery(PostgresLook.VERSION)) {
                row.next();
                return PostgresLook.of(row);
            }
        });
    }

    @Override
    public Optional<Look> look(List<Look.Portion> portions) {
        return connections.readBare(
                config.place(), session -> new PostgresLook(session, connections, config).at(portions));
    }

    @Override
    public Optional<SourceLog> log() {
        return Optional.of(log);
    }

    @Override
    public <T extends @Nullable Object> T snapshot(String where, List<TableId> tables, Function<Snapshot, T> work) {
        return connections.readBare(
                where, session -> work.apply(PostgresSnapshot.begin(session, config, tables, connections, memory)));
    }

    @Override
    public Optional<List<Long>> run(List<SqlStatement> statements, boolean isReadOnly, SourceAnswers answers) {
        List<PostgresQuery.Ready> ready = new ArrayList<>();
        for (SqlStatement statement : statements) {
            answers.at(ready.size());
            ready.add(PostgresQuery.ready(statement));
        }
        AtomicReference<FreshnessToken> written = new AtomicReference<>();
        try {
            List<Long> done = connections.write("the source's statement", session -> {
                Canceller canceller = new Canceller(session);
                answers.running(canceller::cancel);
                try {
                    if (isReadOnly) session.execSQLUpdate("SET TRANSACTION READ ONLY");
                    List<Long> changed = new ArrayList<>();
                    for (int i = 0; i < ready.size(); i++) {
                        answers.at(i);
                        // The statement before may have changed the limit.
                        if (i > 0) session.execSQLUpdate(limit());
                        changed.add(PostgresQuery.run(session, ready.get(i), answers.rows(i)));
                    }
                    if (!isReadOnly)
                        WrittenTransaction.find(session, connections.capabilities())
                                .ifPresent(written::set);
                    return changed;
                } finally {
                    answers.ended();
                    canceller.awaitEnd();
                }
            });
            if (written.get() != null) answers.wrote(written.get());
            return Optional.of(done);
        } catch (PerigeeException e) {
            boolean wantsToWrite = isReadOnly
                    && e.getCause() instanceof SQLException cause
                    && PostgresQuery.READ_ONLY.equals(cause.getSQLState());
            if (wantsToWrite) return Optional.empty();
            throw e;
        }
    }

    private String limit() {
        return "SET LOCAL statement_timeout = "
                + config.limits().statementTimeout().toMillis();
    }

    @Override
    public void close() {
        connections.close();
    }
}
