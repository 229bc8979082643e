package dev.perigee.hazards;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/// A writer's connection, in a transaction until it says `commit`. Used by one thread, but for what is [#start]ed.
public final class Session implements AutoCloseable {
    private final Connection connection;

    Session(Connection connection) throws SQLException {
        this.connection = connection;
        connection.setAutoCommit(false);
    }

    public Session run(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
        return this;
    }

    /// Runs `sql` outside of any transaction block, as PREPARE TRANSACTION's second half wants it.
    public Session alone(String sql) throws SQLException {
        connection.setAutoCommit(true);
        run(sql);
        connection.setAutoCommit(false);
        return this;
    }

    /// The only cell of the only row.
    public String value(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /// Runs `sql` and commits on another thread: it may have to wait.
    public CompletableFuture<Void> start(String sql) {
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        run(sql).commit();
                    } catch (SQLException e) {
                        throw new CompletionException(e);
                    }
                },
                task -> Thread.ofVirtual().start(task));
    }

    public Session commit() throws SQLException {
        connection.commit();
        return this;
    }

    public Session rollback() throws SQLException {
        connection.rollback();
        return this;
    }

    /// Rolls back what is open.
    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
