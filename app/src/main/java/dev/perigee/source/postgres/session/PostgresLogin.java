package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.Properties;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.PreferQueryMode;

/// Opens sessions for the pool, and remembers why the last one failed to open.
///
/// While callers wait, the pool tries again and again in the background to connect. A wrong password would look like a
/// timeout to callers, and the repeated logins may lock the account. So after a failure the server is not asked again
/// until the next caller begins to wait.
public final class PostgresLogin implements DataSource {
    private final PGSimpleDataSource driver = new PGSimpleDataSource();
    private volatile @Nullable SQLException failure;

    public PostgresLogin(SourceConfig config) {
        Properties properties = PostgresOptions.of(config);
        driver.setServerNames(new String[] {config.host().contains(":") ? "[" + config.host() + "]" : config.host()});
        driver.setPortNumbers(new int[] {config.port()});
        driver.setDatabaseName(config.database());
        driver.setUser(config.user());
        driver.setPassword(config.password());
        try {
            for (String name : properties.stringPropertyNames()) driver.setProperty(name, properties.getProperty(name));
        } catch (SQLException e) {
            throw PostgresFaults.of("source " + config.place(), e, config);
        }
    }

    /// A connection for logical replication, outside any pool. The server may be silent on it for any time, so it has
    /// no limit of time.
    public static PGConnection replication(SourceConfig config) throws SQLException {
        PGSimpleDataSource driver = new PostgresLogin(config).driver;
        driver.setReplication("database");
        driver.setAssumeMinServerVersion("13"); // the driver wants to know before it connects
        driver.setPreferQueryMode(PreferQueryMode.SIMPLE);
        driver.setSocketTimeout(0);
        return driver.getConnection().unwrap(PGConnection.class);
    }

    /// Forgets the failure, so that the server is asked again.
    void forget() {
        failure = null;
    }

    /// Why a session could not be opened since [#forget]; null where none failed.
    @Nullable
    SQLException failure() {
        return failure;
    }

    @Override
    public Connection getConnection() throws SQLException {
        SQLException known = failure;
        if (known != null) throw known;
        try {
            return driver.getConnection();
        } catch (SQLException e) {
            failure = e;
            throw e;
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(@Nullable PrintWriter out) {}

    @Override
    public void setLoginTimeout(int seconds) {
        // Ours is in the properties. The pool would set its own, which is only as long as one of its waits.
    }

    @Override
    public int getLoginTimeout() {
        return 0;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return false;
    }

    @Override
    public String toString() {
        return "PostgresLogin"; // the pool logs it
    }
}
