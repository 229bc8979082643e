package dev.perigee.source.postgres.session;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgConnection;

/// A bounded pool of sessions, each lent for one transaction. Safe for many threads; connects when first used.
///
/// A session always comes back, or is closed. It is closed after a lost connection, and after work that threw anything
/// other than an answer of the server. Such work may have left a `COPY` half read. Nothing can be sent after that, and
/// pgjdbc would wait for it forever.
public final class PostgresConnections implements AutoCloseable {
    /// What to do with a session. The transaction has begun, and the pool ends it. The work may end it to begin
    /// another.
    @FunctionalInterface
    public interface Work<T extends @Nullable Object> {
        T run(PgConnection session) throws SQLException;
    }

    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final Duration LIFETIME = Duration.ofMinutes(30);

    /// How long a caller's statement waits for a permit of `callers`.
    private static final Duration CALLER_WAIT = Duration.ofSeconds(5);

    /// How long to wait for the pool before looking whether the login failed; the least that Hikari allows.
    private static final long LOOK_MILLIS = 250;

    private final SourceConfig config;
    private final PostgresLogin login;
    private final HikariDataSource pool;

    /// One permit for each session, given in order of arrival, so that no thread is overtaken forever.
    private final Semaphore free;

    /// The sessions that callers' statements may use at once. With two sessions or more, some are left for replication,
    /// however many statements callers send.
    private final Semaphore callers;

    private final OwnTransactions readers = new OwnTransactions();
    private final KeptStatements kept = new KeptStatements();
    private final Capabilities capabilities = new Capabilities();

    public PostgresConnections(SourceConfig config) {
        this.config = config;
        this.login = new PostgresLogin(config);
        this.free = new Semaphore(config.limits().maxConnections(), true);
        this.callers = new Semaphore(callersShare(config), true);
        HikariConfig hikari = new HikariConfig();
        hikari.setPoolName("perigee-source");
        hikari.setDataSource(login);
        hikari.setMaximumPoolSize(config.limits().maxConnections());
        hikari.setMinimumIdle(0);
        hikari.setIdleTimeout(IDLE.toMillis());
        hikari.setMaxLifetime(LIFETIME.toMillis());
        hikari.setConnectionTimeout(LOOK_MILLIS);
        // An idle session is tested before it is lent. A distant server may take longer to answer than LOOK_MILLIS.
        hikari.setValidationTimeout(
                Math.max(LOOK_MILLIS, config.limits().connectTimeout().toMillis()));
        hikari.setInitializationFailTimeout(-1); // do not connect yet
        this.pool = new HikariDataSource(hikari);
    }

    /// Runs `work` in one read-only transaction.
    ///
    /// @param where what it is for; fault messages name it
    /// @throws PerigeeException what the work throws, or a `SOURCE_*` fault
    public <T extends @Nullable Object> T read(String where, Work<T> work) {
        return lend(where, work, true);
    }

    /// As [#read], without the settings of [PostgresTransaction]: the work makes its own.
    public <T extends @Nullable Object> T readBare(String where, Work<T> work) {
        return lent(where, session -> new PostgresTransaction(config, readers, where, true).bare(session, work));
    }

    /// Runs `work` outside of a transaction: one statement, whose answer does not depend on settings. So it costs one
    /// round trip.
    ///
    /// @throws PerigeeException what the work throws, or a `SOURCE_*` fault
    public <T extends @Nullable Object> T ask(String where, Work<T> work) {
        return lent(where, session -> new PostgresTransaction(config, readers, where, true).without(session, work));
    }

    /// Runs `work` in one transaction that may write, and commits it. Session settings that the work changed are reset.
    public <T extends @Nullable Object> T write(String where, Work<T> work) {
        acquire(where, callers, CALLER_WAIT.toMillis(), callersShare(config));
        try {
            return lend(
                    where,
                    session -> {
                        kept.forget(session); // the caller's statement, or what undoes it, may deallocate them
                        return work.run(session);
                    },
                    false);
        } finally {
            callers.release();
        }
    }

    private static int callersShare(SourceConfig config) {
        return Math.max(
                1,
                config.limits().maxConnections() - Math.ceilDiv(config.limits().maxConnections(), 4));
    }

    /// Our own read-only transactions that are in progress.
    public OwnTransactions readers() {
        return readers;
    }

    /// The statements that our sessions keep prepared.
    public KeptStatements kept() {
        return kept;
    }

    /// What the server answers and what it refuses.
    public Capabilities capabilities() {
        return capabilities;
    }

    /// Closes idle sessions and aborts lent ones.
    @Override
    public void close() {
        pool.close();
    }

    private <T extends @Nullable Object> T lend(String where, Work<T> work, boolean isReadOnly) {
        return lent(where, session -> new PostgresTransaction(config, readers, where, isReadOnly).run(session, work));
    }

    private <T extends @Nullable Object> T lent(String where, Work<T> work) {
        acquire(where, free, waitMillis(), config.limits().maxConnections());
        try {
            Connection lent = borrow(where);
            try {
                PgConnection session = lent.unwrap(PgConnection.class);
                capabilities.requireSupported(session, config);
                return work.run(session);
            } catch (SQLException e) {
                throw PostgresFaults.of(where, e, config);
            } finally {
                giveBack(lent);
            }
        } finally {
            free.release();
        }
    }

    private void giveBack(Connection lent) {
        try (lent) {
            if (lent.unwrap(PgConnection.class).isClosed()) pool.evictConnection(lent);
        } catch (SQLException e) {
            pool.evictConnection(lent);
        }
    }

    private void acquire(String where, Semaphore places, long waitMillis, int count) {
        if (pool.isClosed()) throw closed(where);
        try {
            if (places.tryAcquire(waitMillis, TimeUnit.MILLISECONDS)) return;
        } catch (InterruptedException e) {
            throw interrupted(where, e);
        }
        String share = count == config.limits().maxConnections() ? "" : ", of which callers' statements have " + count;
        throw Fault.SOURCE_BUSY.in(
                where,
                "all %d connections to %s (`maxConnections` is %d%s) were in use for %d ms"
                        .formatted(count, config.place(), config.limits().maxConnections(), share, waitMillis),
                "No statement was sent");
    }

    /// Takes a session out of the pool. The caller has a permit, so at most it waits until a session is opened.
    private Connection borrow(String where) {
        login.forget();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis());
        while (true) {
            try {
                return pool.getConnection();
            } catch (SQLTransientConnectionException e) {
                SQLException failure = login.failure();
                if (failure != null) throw PostgresFaults.ofLogin(where, failure, config);
                if (System.nanoTime() - deadline > 0) throw slow(where, e);
            } catch (SQLException e) {
                if (Thread.currentThread().isInterrupted()) throw interrupted(where, e);
                throw pool.isClosed() ? closed(where) : PostgresFaults.ofLogin(where, e, config);
            }
        }
    }

    /// A little more than a login may take, so that the login's own failure is what is reported.
    private long waitMillis() {
        return config.limits().connectTimeout().plusSeconds(2).toMillis();
    }

    private PerigeeException slow(String where, SQLException e) {
        return Fault.SOURCE_UNREACHABLE.in(
                where,
                "%s opened no connection within %d ms".formatted(config.place(), waitMillis()),
                "No statement was sent",
                e);
    }

    private PerigeeException closed(String where) {
        return Fault.CLOSED.in(where, "the source " + config.place() + " is closed", "No statement was sent");
    }

    private PerigeeException interrupted(String where, Exception e) {
        Thread.currentThread().interrupt();
        return Fault.SOURCE_FAILED.in(
                where, "interrupted while waiting to connect", "No statement was sent", "try again", e);
    }
}
