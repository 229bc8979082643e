package dev.perigee.source.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.PgConnection;

/// Connections to the source: made when needed, at most as many as configured, closed when idle for a while. Each piece
/// of work gets one in a transaction of its own, read-only unless it asks for more, and it is given back whatever
/// happens; after a failure that may have left it half read it is closed instead.
///
/// Safe for many threads.
final class PostgresConnections implements AutoCloseable {
    /// A piece of work inside one transaction.
    @FunctionalInterface
    interface Work<T extends @Nullable Object> {
        T run(Connection connection) throws SQLException;
    }

    private static final Duration IDLE = Duration.ofMinutes(1);

    /// Shorter than the hour after which load balancers and poolers tend to drop connections without a word.
    private static final Duration LIFE = Duration.ofMinutes(25);

    private final SourceConfig config;
    private final Properties properties;
    private @Nullable HikariDataSource pool;
    private boolean isClosed;

    /// Does not connect.
    PostgresConnections(SourceConfig config) {
        this.config = config;
        this.properties = ConnectionProperties.of(config);
    }

    /// Runs `work` in a read-only transaction.
    ///
    /// @param where for messages: what it is about
    /// @throws PerigeeException a `SOURCE_*` fault
    <T extends @Nullable Object> T read(String where, Work<T> work) {
        try {
            return run(true, work);
        } catch (SQLException e) {
            throw PostgresFaults.of(where, e);
        }
    }

    /// Runs `work` in a transaction that may write, and commits.
    ///
    /// @throws PerigeeException as [#read]; [Fault#SOURCE_STATEMENT] for what the server has against the statement
    <T extends @Nullable Object> T write(String where, Work<T> work) {
        try {
            return run(false, work);
        } catch (SQLException e) {
            throw PostgresFaults.ofStatement(where, e);
        }
    }

    @Override
    public void close() {
        HikariDataSource open;
        synchronized (this) {
            isClosed = true;
            open = pool;
            pool = null;
        }
        if (open != null) open.close();
    }

    private <T extends @Nullable Object> T run(boolean isReadOnly, Work<T> work) throws SQLException {
        HikariDataSource connections = pool();
        Connection connection;
        try {
            connection = connections.getConnection();
        } catch (SQLTransientConnectionException e) {
            forgetIdle(connections);
            throw e;
        }
        boolean isWhole = false;
        try {
            connection.setReadOnly(isReadOnly);
            limit(connection);
            T result = work.run(connection);
            connection.commit();
            isWhole = true;
            return result;
        } catch (SQLException e) {
            isWhole = isUsable(e) && rolledBack(connection);
            throw e;
        } finally {
            if (isWhole) connection.close();
            else drop(connections, connection);
        }
    }

    /// Cuts the connection off. Asking it for anything, even to roll back, could wait for ever: an answer may be half
    /// read,
    /// or the network gone.
    private static void drop(HikariDataSource connections, Connection connection) {
        try {
            connection.unwrap(PgConnection.class).abort(Runnable::run);
            connections.evictConnection(connection);
            connection.close();
        } catch (SQLException _) {
            // It is closed, which is all that was wanted; the failure that led here is the one to report.
        }
    }

    /// The server's limit is set for the transaction, which holds behind a pooler too; the network's is for a server
    /// that does not answer at all.
    private void limit(Connection connection) throws SQLException {
        long millis = config.statementTimeout().toMillis();
        try (Statement statement = connection.createStatement()) {
            statement.execute("SET LOCAL statement_timeout = " + millis);
        }
        if (millis > 0) connection.setNetworkTimeout(Runnable::run, Math.toIntExact(millis + 5_000));
    }

    /// After an error that the server itself reported, a connection can go on.
    private static boolean isUsable(SQLException failure) {
        String state = failure.getSQLState();
        return state != null && !state.startsWith("08") && !state.startsWith("57P") && !state.startsWith("XX");
    }

    private static boolean rolledBack(Connection connection) {
        try {
            connection.rollback();
            return true;
        } catch (SQLException e) {
            return false; // it is closed, and the first failure is the one to report
        }
    }

    /// The pool is made at the first use: making it fails at once with the reason, where a pool that stands would let
    /// callers wait for as long as they may wait for a connection.
    private synchronized HikariDataSource pool() throws SQLException {
        if (isClosed) {
            throw Fault.CLOSED.in("source " + config.place(), "it was closed", "Nothing was read");
        }
        HikariDataSource open = pool;
        if (open == null) {
            try {
                open = new HikariDataSource(settings());
            } catch (PoolInitializationException e) {
                if (e.getCause() instanceof SQLException cause) throw cause;
                throw e;
            }
            pool = open;
        }
        return open;
    }

    /// Lets go of a pool that has no connection left, so that the next failure is reported at once too.
    private void forgetIdle(HikariDataSource failed) {
        synchronized (this) {
            if (pool != failed || failed.getHikariPoolMXBean().getTotalConnections() > 0) return;
            pool = null;
        }
        failed.close();
    }

    private HikariConfig settings() {
        HikariConfig settings = new HikariConfig();
        settings.setPoolName("perigee-source");
        settings.setDataSource(dataSource());
        settings.setMaximumPoolSize(config.maxConnections());
        settings.setMinimumIdle(0);
        settings.setIdleTimeout(IDLE.toMillis());
        settings.setMaxLifetime(LIFE.toMillis());
        settings.setConnectionTimeout(Math.max(250, config.connectTimeout().toMillis()));
        settings.setInitializationFailTimeout(1);
        settings.setAutoCommit(false);
        settings.setReadOnly(true);
        return settings;
    }

    private DataSource dataSource() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        try {
            for (String name : properties.stringPropertyNames()) source.setProperty(name, properties.getProperty(name));
        } catch (SQLException e) {
            throw new IllegalStateException(e); // every name came from the driver's own list
        }
        return source;
    }
}
