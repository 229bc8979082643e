package dev.perigee.source.postgres;

import dev.perigee.batch.Batch;
import dev.perigee.config.SourceConfig;
import dev.perigee.source.PageSink;
import dev.perigee.source.Pull;
import dev.perigee.source.RowSink;
import dev.perigee.source.Source;
import dev.perigee.source.SourceTable;
import dev.perigee.sqlite.Value;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyOut;

/// PostgreSQL 13 to 18 as a source.
///
/// A pull is one `COPY (SELECT … ORDER BY cursor, key) TO STDOUT (FORMAT BINARY)`, cut into pages on this side: one
/// statement is one snapshot, and the source sorts once and not once a page. Everything a session needs is set for the
/// transaction only, so it holds behind poolers that change the session between two transactions.
public final class PostgresSource implements Source {
    private final SourceConfig config;
    private final PostgresConnections connections;

    /// Does not connect yet.
    ///
    /// @throws dev.perigee.fault.PerigeeException [dev.perigee.fault.Fault#CONFIG_INVALID] for options it does not
    ///     know
    public PostgresSource(SourceConfig config) {
        this.config = config;
        this.connections = new PostgresConnections(config);
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
    public List<SourceTable> discover() {
        return connections.read(config.place(), PostgresCatalog::discover);
    }

    @Override
    public SourceTable describe(String name) {
        return connections.read(
                "table " + name, connection -> PostgresCatalog.describe(connection, name, config.defaultSchema()));
    }

    @Override
    public long pull(Pull pull, PageSink sink) {
        return connections.read("table " + pull.table().id(), connection -> {
            lock(connection, pull.table());
            PullStatement statement = new PullStatement(
                    pull, PostgresCatalog.columns(connection, pull.table().id()));
            settle(connection, statement);
            PGConnection postgres = connection.unwrap(PGConnection.class);
            CopyOut copy = postgres.getCopyAPI().copyOut(statement.sql(postgres));
            try {
                return pages(new CopyRows(copy, statement.fieldCount()), statement, sink);
            } catch (RuntimeException | Error e) {
                // The answer is only half read. Tell the source to stop; the connection is not used again.
                if (copy.isActive()) postgres.cancelQuery();
                throw e;
            }
        });
    }

    @Override
    public long count(SourceTable table) {
        return connections.read("table " + table.id(), connection -> {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT count(*) FROM " + Quoted.table(table.id()))) {
                row.next();
                return row.getLong(1);
            }
        });
    }

    @Override
    public long query(String sql, List<Value> parameters, RowSink sink) {
        return connections.write(
                "the source's statement", connection -> PostgresQuery.run(connection, sql, parameters, sink));
    }

    @Override
    public void close() {
        connections.close();
    }

    /// Takes the lock that any read takes and that is held to the transaction's end: what the catalog says next stays
    /// true until the rows are read.
    private static void lock(Connection connection, SourceTable table) throws SQLException {
        execute(connection, "SELECT FROM %s LIMIT 0".formatted(Quoted.table(table.id())));
    }

    /// What the text forms depend on, and the time limit: a load may take hours, in which the source must only never be
    /// silent for longer than a statement may take. So the limit is the network's, which counts from byte to byte.
    private void settle(Connection connection, PullStatement statement) throws SQLException {
        String path = Stream.concat(Stream.of("pg_catalog"), statement.schemas().stream())
                .map(Quoted::name)
                .collect(Collectors.joining(", "));
        execute(connection, """
                SET LOCAL search_path = %s; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO';
                SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
                SET LOCAL statement_timeout = 0""".formatted(path));
        connection.setNetworkTimeout(
                Runnable::run, Math.toIntExact(config.statementTimeout().toMillis()));
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static long pages(CopyRows rows, PullStatement statement, PageSink sink) throws SQLException {
        long sent = 0;
        Batch batch = null;
        while (rows.next()) {
            if (batch == null) batch = sink.next();
            statement.decode(rows, batch);
            sent++;
            if (batch.isFull()) {
                sink.page(batch, statement.mark(rows));
                batch = null;
            }
        }
        if (batch != null) sink.page(batch, statement.mark(rows));
        return sent;
    }
}
