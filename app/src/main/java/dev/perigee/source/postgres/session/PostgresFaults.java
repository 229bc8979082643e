package dev.perigee.source.postgres.session;

import dev.perigee.config.SourceConfig;
import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.GeneralSecurityException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.GT;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/// Turns an [SQLException] of pgjdbc into one of our faults. The message has the server's own sentence and its
/// SQLSTATE. It never has DETAIL, because that holds row values.
///
/// @see <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL error codes</a>
public final class PostgresFaults {
    private static final List<String> TLS_MESSAGES = List.of(
            "The server does not support SSL.", "The hostname {0} could not be verified by hostnameverifier {1}.");

    /// A question to the server, which may fail with the driver's exception.
    @FunctionalInterface
    public interface Asking<T> {
        T ask() throws SQLException;
    }

    private PostgresFaults() {}

    /// Returns what `asking` returns. An exception of the driver becomes a fault, and is its cause.
    public static <T> T guard(String where, SourceConfig config, Asking<T> asking) {
        try {
            return asking.ask();
        } catch (SQLException e) {
            throw of(where, e, config);
        }
    }

    /// The fault for `e`, which happened when nothing had been written.
    static PerigeeException of(String where, SQLException e, SourceConfig config) {
        String state = "Nothing was changed at " + config.place();
        if (isStartupParameter(e)) {
            return Fault.SOURCE_UNREACHABLE.in(
                    where,
                    said(e),
                    state,
                    "let the pooler accept the parameter: add it to `ignore_startup_parameters` in pgbouncer.ini, or leave `options` out of the source's URL",
                    e);
        }
        if (isStatementPooling(e)) {
            return Fault.SOURCE_UNREACHABLE.in(
                    where,
                    said(e),
                    state,
                    "set `pool_mode` to `transaction` or `session` at the pooler: a copy is read in transactions",
                    e);
        }
        if (isIpv6Only(e, config.host())) {
            return Fault.SOURCE_UNREACHABLE.in(
                    where,
                    "%s; %s has IPv6 addresses only, and this machine may be unable to reach them"
                            .formatted(said(e), config.host()),
                    state,
                    "name a host with an IPv4 address; Supabase's direct host has none, its pooler has one (aws-0-REGION.pooler.supabase.com, user postgres.PROJECT)",
                    e);
        }
        if (!hidesRows(e)) return of(where, e, state);
        String what =
                "row-level security may hide rows from the source's user %s, or from the owner of the view or function that reads the table: %s"
                        .formatted(config.user(), said(e));
        return Fault.SOURCE_ROWS_HIDDEN.in(where, what, state, e);
    }

    /// The fault for a login that failed with `e`. It concerns the whole source, not one table.
    static PerigeeException ofLogin(String where, SQLException e, SourceConfig config) {
        PerigeeException fault = of(where, e, config);
        boolean isOfSource = fault.fault() == Fault.SOURCE_UNREACHABLE
                || fault.fault() == Fault.SOURCE_AUTH
                || fault.fault() == Fault.SOURCE_TLS;
        if (isOfSource || server(e) == null) return fault;
        String state = "No statement was sent to " + config.place();
        return switch (state(e)) {
            case "42501" ->
                Fault.SOURCE_AUTH.in(
                        where,
                        said(e),
                        state,
                        "run at the source: GRANT CONNECT ON DATABASE %s TO %s"
                                .formatted(PostgresNames.name(config.database()), PostgresNames.name(config.user())),
                        e);
            case "3D000" ->
                Fault.SOURCE_UNREACHABLE.in(
                        where, said(e), state, "correct the database's name in the source's URL, or create it", e);
            default -> Fault.SOURCE_UNREACHABLE.in(where, said(e), state, e);
        };
    }

    /// As [#of(String, SQLException, SourceConfig)], where the caller knows more about the state that things are left
    /// in.
    static PerigeeException of(String where, SQLException e, String state) {
        return fault(e).in(where, said(e), state, e);
    }

    /// The message of the server or of the driver, on one line, with the SQLSTATE.
    public static String said(SQLException e) {
        ServerErrorMessage server = server(e);
        String message = server == null ? null : server.getMessage();
        if (message == null) message = e.getMessage();
        StringBuilder said = new StringBuilder(message == null ? "no message" : message.strip());
        IOException network = cause(e, IOException.class);
        if (server == null && network != null && !said.toString().contains(String.valueOf(network.getMessage()))) {
            said.append(" (").append(network.getClass().getSimpleName());
            if (network.getMessage() != null) said.append(": ").append(network.getMessage());
            said.append(')');
        }
        String text = said.toString().replaceAll("\\s*\\R\\s*", " ").replaceAll("\\.$", "");
        return e.getSQLState() == null ? text : text + " (SQLSTATE " + e.getSQLState() + ")";
    }

    /// Whether the session may still be used after `e`: the server has answered and keeps the connection.
    public static boolean leavesSessionUsable(SQLException e) {
        return server(e) != null && !isGone(state(e)) && cause(e, IOException.class) == null;
    }

    /// PgBouncer refuses startup parameters that it does not know, with a message that it does not translate.
    private static boolean isStartupParameter(SQLException e) {
        return state(e).equals("08P01") && said(e).contains("unsupported startup parameter");
    }

    private static boolean isStatementPooling(SQLException e) {
        return state(e).equals("08P01") && said(e).contains("statement pooling");
    }

    /// PgBouncer reports a login that its server refused with the SQLSTATE of a protocol violation.
    private static boolean isLoginAtPooler(SQLException e) {
        return state(e).equals("08P01") && said(e).contains("authentication failed");
    }

    /// Whether a login reached no server, at a host that has only IPv6 addresses.
    private static boolean isIpv6Only(SQLException e, String host) {
        boolean hasAnswered = String.valueOf(cause(e, ConnectException.class)).contains("refused") || isTls(e);
        if (!isConnecting(e) || hasAnswered) return false;
        try {
            return Arrays.stream(InetAddress.getAllByName(host)).allMatch(Inet6Address.class::isInstance);
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    /// Whether the server refused the statement because a policy would hide rows, which it does while `row_security` is
    /// off. The name of the server's routine tells: messages are translated, names are not.
    public static boolean hidesRows(SQLException e) {
        ServerErrorMessage server = server(e);
        return server != null && state(e).equals("42501") && "check_enable_rls".equals(server.getRoutine());
    }

    public static @Nullable ServerErrorMessage server(SQLException e) {
        return e instanceof PSQLException p ? p.getServerErrorMessage() : null;
    }

    private static Fault fault(SQLException e) {
        if (isTls(e)) return Fault.SOURCE_TLS;
        if (isLoginAtPooler(e)) return Fault.SOURCE_AUTH;
        if (cause(e, SocketTimeoutException.class) != null && !isConnecting(e)) return Fault.SOURCE_TIMEOUT;
        String state = state(e);
        return switch (state) {
            case "57014", "55P03", "25P03", "25P04" -> Fault.SOURCE_TIMEOUT;
            case "42501" -> Fault.SOURCE_PERMISSION;
            case "42P01", "3F000" -> Fault.SOURCE_TABLE_MISSING;
            case "42703" -> Fault.SOURCE_COLUMN_MISSING;
            // The driver's state for a server that wants a password, or a login method that it was not given.
            case "08004" -> Fault.SOURCE_AUTH;
            default -> state.startsWith("28") ? Fault.SOURCE_AUTH : isGone(state) ? Fault.SOURCE_UNREACHABLE : other(e);
        };
    }

    private static Fault other(SQLException e) {
        return server(e) == null && cause(e, IOException.class) != null
                ? Fault.SOURCE_UNREACHABLE
                : Fault.SOURCE_FAILED;
    }

    /// Whether the connection was lost or refused, the server is starting up or shutting down, the database was
    /// dropped, or no connection is left.
    private static boolean isGone(String state) {
        return state.startsWith("08") || state.startsWith("57P0") || state.equals("53300");
    }

    private static boolean isConnecting(SQLException e) {
        return state(e).equals("08001");
    }

    private static boolean isTls(SQLException e) {
        if (cause(e, SSLException.class) != null || cause(e, GeneralSecurityException.class) != null) return true;
        // pgjdbc reports these with the SQLSTATE of a refused connection, translated into the JVM's language, and with
        // no routine name that would tell them apart.
        String message = String.valueOf(e.getMessage());
        return TLS_MESSAGES.stream().anyMatch(known -> message.contains(longestPart(GT.tr(known))));
    }

    /// The longest of the pieces between a message's placeholders.
    private static String longestPart(String message) {
        return Arrays.stream(message.split("\\{\\d}"))
                .max(Comparator.comparingInt(String::length))
                .orElse(message);
    }

    public static String state(SQLException e) {
        return e.getSQLState() == null ? "" : e.getSQLState();
    }

    private static <T extends Throwable> @Nullable T cause(Throwable e, Class<T> type) {
        int depth = 0;
        for (Throwable t = e; t != null && depth < 20; t = t.getCause(), depth++) {
            if (type.isInstance(t)) return type.cast(t);
        }
        return null;
    }
}
