package dev.perigee.source.postgres;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.net.SocketTimeoutException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Locale;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/// What PostgreSQL or its driver said, as a fault. The message has the server's primary message and its SQLSTATE, never
/// its DETAIL, which holds values of rows.
///
/// @see <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL error codes</a>
final class PostgresFaults {
    private static final String NOTHING_LOST = "What was read before is kept";

    private PostgresFaults() {}

    static PerigeeException of(String where, SQLException failure) {
        SQLException cause = lastConnectFailure(failure);
        Fault fault = fault(cause);
        return fault.in(where, said(cause), NOTHING_LOST, cause);
    }

    /// For a statement a caller wrote: what the server has against it is the caller's matter.
    static PerigeeException ofStatement(String where, SQLException failure) {
        Fault fault = fault(lastConnectFailure(failure));
        boolean isCallers = switch (fault) {
            case SOURCE_FAILED, SOURCE_TABLE_MISSING, SOURCE_COLUMN_MISSING -> isFromServer(failure);
            default -> false;
        };
        if (!isCallers) return of(where, failure);
        return Fault.SOURCE_STATEMENT.in(where, said(failure), "Nothing was changed", failure);
    }

    /// When the pool has no connection, its own exception has the last failure to make one as its cause.
    private static SQLException lastConnectFailure(SQLException failure) {
        return failure instanceof SQLTransientConnectionException && failure.getCause() instanceof SQLException cause
                ? cause
                : failure;
    }

    private static Fault fault(SQLException failure) {
        String state = failure.getSQLState() == null ? "" : failure.getSQLState();
        if (has(failure, SocketTimeoutException.class)) {
            return state.equals("08001") ? Fault.SOURCE_UNREACHABLE : Fault.SOURCE_TIMEOUT;
        }
        if (isTls(failure, state)) return Fault.SOURCE_TLS;
        if (failure instanceof SQLTransientConnectionException) return Fault.SOURCE_TIMEOUT; // all are in use
        return switch (state) {
            case "57014" -> Fault.SOURCE_TIMEOUT;
            case "55P03" -> Fault.SOURCE_TIMEOUT; // lock_timeout
            case "57P01", "57P02", "57P03", "57P05", "53300" -> Fault.SOURCE_UNREACHABLE;
            case "3D000" -> Fault.SOURCE_AUTH; // no such database
            case "42501" -> Fault.SOURCE_PERMISSION;
            case "42P01", "3F000" -> Fault.SOURCE_TABLE_MISSING;
            case "42703" -> Fault.SOURCE_COLUMN_MISSING;
            default -> {
                if (state.startsWith("28")) yield Fault.SOURCE_AUTH;
                if (state.startsWith("08")) yield Fault.SOURCE_UNREACHABLE;
                yield Fault.SOURCE_FAILED;
            }
        };
    }

    private static boolean isTls(SQLException failure, String state) {
        if (has(failure, SSLException.class)) return true;
        if (!state.startsWith("08") && !state.startsWith("28") && !state.startsWith("99")) return false;
        String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains("does not support ssl")
                || message.contains("could not be verified by hostnameverifier")
                || message.contains("ssl error")
                || message.contains("no encryption")
                || message.contains("ssl off")
                || (message.contains("ssl") && message.contains("could not open"))
                || message.contains("ssl key")
                || message.contains("ssl certificate")
                || message.contains("ssl root certificate");
    }

    private static boolean isFromServer(SQLException failure) {
        return failure instanceof PSQLException e && e.getServerErrorMessage() != null;
    }

    private static String said(SQLException failure) {
        if (failure instanceof SQLTransientConnectionException) {
            return "all connections are in use, and none became free in time";
        }
        String state = failure.getSQLState() == null ? "" : " (SQLSTATE " + failure.getSQLState() + ")";
        ServerErrorMessage server = failure instanceof PSQLException e ? e.getServerErrorMessage() : null;
        if (server == null) return "%s%s%s".formatted(sentence(failure.getMessage()), root(failure), state);
        String position = server.getPosition() > 0 ? " at character " + server.getPosition() : "";
        return "%s%s%s".formatted(sentence(server.getMessage()), position, state);
    }

    /// What the network or TLS said below the driver's own words.
    private static String root(SQLException failure) {
        Throwable cause = failure.getCause();
        while (cause != null && cause.getCause() != null) cause = cause.getCause();
        if (cause == null || cause.getMessage() == null) return "";
        String message = sentence(cause.getMessage());
        return String.valueOf(failure.getMessage()).contains(message) ? "" : ": " + message;
    }

    private static String sentence(@Nullable String message) {
        String text = message == null ? "no reason given" : message.strip();
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }

    private static boolean has(Throwable failure, Class<? extends Throwable> type) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) return true;
        }
        return false;
    }
}
