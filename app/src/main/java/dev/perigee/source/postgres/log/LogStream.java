package dev.perigee.source.postgres.log;

import dev.perigee.config.SourceConfig;
import dev.perigee.source.postgres.session.PostgresLogin;
import dev.perigee.source.postgres.session.PostgresNames;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.replication.LogSequenceNumber;
import org.postgresql.replication.PGReplicationStream;

/// The changes that a replication slot holds, as the server sends them: each transaction after its commit. Has a
/// connection of its own. Not safe for many threads.
///
/// The server keeps its log until [#acknowledge] is called. A stream that is opened again begins after the position
/// acknowledged last, or at the one asked for, whichever is greater.
public final class LogStream implements AutoCloseable {
    /// How often the driver answers the server, so that the server does not take a quiet stream for dead. The answer
    /// repeats what was acknowledged.
    private static final int STATUS_SECONDS = 5;

    private static final String SETTINGS = """
            SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';
            SET extra_float_digits = 1; SET bytea_output = 'hex'; SET quote_all_identifiers = off;
            SET search_path = pg_catalog; SET statement_timeout = 0; SET lock_timeout = 0""";

    private final SourceConfig config;
    private final String slot;
    private final PGConnection connection;
    private final PGReplicationStream stream;
    private final LogMessages messages;

    private LogStream(
            SourceConfig config,
            String slot,
            PGConnection connection,
            PGReplicationStream stream,
            LogMessages messages) {
        this.config = config;
        this.slot = slot;
        this.connection = connection;
        this.stream = stream;
        this.messages = messages;
    }

    /// Connects and starts the stream.
    ///
    /// @param slot an existing logical slot of the plugin `pgoutput`; no other stream may be using it
    /// @param publication an existing publication. Tables outside it are not sent
    /// @param after the position from which on commits are sent; 0 for the one acknowledged last
    /// @param changes is told what [#readPending] reads
    /// @throws dev.perigee.fault.PerigeeException a `SOURCE_*` fault
    public static LogStream open(SourceConfig config, String slot, String publication, long after, LogChanges changes) {
        return new LogFaults(config, slot).guard(() -> {
            PGConnection connection = PostgresLogin.replication(config);
            try {
                settle(connection);
                PGReplicationStream stream = connection
                        .getReplicationAPI()
                        .replicationStream()
                        .logical()
                        .withAutomaticFlush(false) // else the driver acknowledges what was only received
                        .withSlotName(slot)
                        .withStartPosition(LogSequenceNumber.valueOf(after))
                        .withStatusInterval(STATUS_SECONDS, TimeUnit.SECONDS)
                        .withSlotOption("proto_version", 1)
                        // The driver quotes the text, but does not double the quotes in it.
                        .withSlotOption(
                                "publication_names",
                                PostgresNames.name(publication).replace("'", "''"))
                        .start();
                return new LogStream(config, slot, connection, stream, new LogMessages(changes));
            } catch (SQLException e) {
                close(connection);
                throw e;
            }
        });
    }

    /// Reads one message, if one has come, and tells the changes that it holds. Does not wait.
    ///
    /// @return whether a message was read
    public boolean readPending() {
        @Nullable ByteBuffer message = new LogFaults(config, slot).guard(stream::readPending);
        if (message == null) return false;
        messages.read(message);
        return true;
    }

    /// The position up to which the server has sent everything: that of the last message, or that of a later sign of
    /// life which says that there is nothing more.
    public long received() {
        LogSequenceNumber last = stream.getLastReceiveLSN();
        return last == null ? 0 : last.asLong();
    }

    /// Tells the server that everything before `position` is safe here, so that it need not keep its log.
    ///
    /// @param position as [LogChanges#commit] gives it, or [#received] outside a transaction
    public void acknowledge(long position) {
        new LogFaults(config, slot).guard(() -> {
            LogSequenceNumber safe = LogSequenceNumber.valueOf(position);
            stream.setFlushedLSN(safe);
            stream.setAppliedLSN(safe);
            stream.forceUpdateStatus();
            return true;
        });
    }

    /// Closes the connection. The slot stays.
    @Override
    public void close() {
        close(connection);
    }

    /// Values come in one form, whatever defaults the role, the database or this machine have. The same as for a pull.
    private static void settle(PGConnection connection) throws SQLException {
        try (Statement statement = ((Connection) connection).createStatement()) {
            statement.execute(SETTINGS);
        }
    }

    /// The stream is not closed first: the driver would read all that the server has yet to send.
    private static void close(PGConnection connection) {
        try {
            ((Connection) connection).close();
        } catch (SQLException e) {
            // The connection is lost already, which is what closing it is for.
        }
    }
}
