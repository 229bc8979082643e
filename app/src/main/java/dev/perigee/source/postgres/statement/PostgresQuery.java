package dev.perigee.source.postgres.statement;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import dev.perigee.source.postgres.decode.IsoText;
import dev.perigee.source.postgres.decode.NumericDecoder;
import dev.perigee.source.postgres.session.PostgresFaults;
import dev.perigee.sqlite.Value;
import dev.perigee.statement.RowSink;
import dev.perigee.statement.SqlStatement;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;
import org.postgresql.util.ServerErrorMessage;

/// Runs a caller's statement at the source. Parameters are sent without a type, so the source infers each type from the
/// place of the parameter. Values come back as docs/types.md says, except for arrays and other structures, which come
/// in the source's text form.
public final class PostgresQuery {
    /// Rows fetched at once, so that an answer of any size needs little memory.
    private static final int FETCH_ROWS = 256;

    /// SQLSTATE classes of errors in the statement or its values, not in the server.
    private static final Set<String> STATEMENT_CLASSES = Set.of(
            "0A", "0L", "0P", "20", "21", "22", "23", "25", "26", "2B", "2F", "34", "3B", "3F", "42", "44", "P0");

    /// First words of statements that would end the transaction in which a statement runs, or begin another. That
    /// transaction is Perigee's: it is committed if the statement succeeded, else rolled back. SAVEPOINT and RELEASE
    /// are refused too: a savepoint would end with that transaction.
    private static final Set<String> TRANSACTION_WORDS =
            Set.of("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE");

    /// The SQLSTATE of a statement that tries to write in a read-only transaction.
    public static final String READ_ONLY = "25006";

    /// The SQLSTATE of a statement that cannot run in a transaction: VACUUM, CREATE DATABASE, CREATE INDEX
    /// CONCURRENTLY.
    private static final String NO_TRANSACTION = "25001";

    private PostgresQuery() {}

    /// A statement that was checked and may be sent.
    public record Ready(Placeholders placeholders, List<Value> values) {}

    /// Checks a statement without asking the source.
    ///
    /// @throws PerigeeException [Fault#SOURCE_STATEMENT] for a statement that is not allowed here
    public static Ready ready(SqlStatement asked) {
        SqlStatement numbered = asked.named().isEmpty() ? asked : NamedPlaceholders.numbered(asked);
        refuseTransactionControl(numbered.sql());
        refuseCopyStream(numbered.sql());
        List<Value> values = numbered.positional();
        return new Ready(Placeholders.of(numbered.sql(), values.size()), values);
    }

    /// Runs a statement in the session's transaction. The settings of that transaction make values come in the form
    /// that is read here.
    ///
    /// @return the number of rows changed, or -1 for a statement that returns rows
    /// @throws PerigeeException [Fault#SOURCE_STATEMENT], or [Fault#CONSTRAINT] for a violated constraint, with the
    ///     server's message and its position in the caller's statement
    public static long run(Connection connection, Ready ready, RowSink sink) throws SQLException {
        Placeholders placeholders = ready.placeholders();
        List<Value> parameters = ready.values();
        try (PreparedStatement statement = connection.prepareStatement(placeholders.sql())) {
            statement.setFetchSize(FETCH_ROWS);
            for (int i = 0; i < placeholders.order().size(); i++) {
                bind(statement, i + 1, parameters.get(placeholders.order().get(i)));
            }
            if (!statement.execute()) {
                sink.columns(List.of());
                return Math.max(0, statement.getLargeUpdateCount());
            }
            try (ResultSet rows = statement.getResultSet()) {
                send(rows, sink);
            }
            return -1;
        } catch (SQLException e) {
            if (isAboutStatement(e)) throw refused(placeholders, e);
            throw e;
        }
    }

    private static void refuseTransactionControl(String sql) {
        List<String> words = firstWords(sql);
        String first = words.getFirst();
        boolean isPrepared = words.equals(List.of("PREPARE", "TRANSACTION"));
        if (!isPrepared && !TRANSACTION_WORDS.contains(first)) return;
        throw Fault.SOURCE_STATEMENT.in(
                "the source's statement",
                "each statement is a transaction of its own, committed when it has succeeded; %s is not allowed in it"
                        .formatted(isPrepared ? "PREPARE TRANSACTION" : first),
                "It was not sent");
    }

    /// Refuses COPY from or to the client. The driver handles such rows only through an interface of its own, and ends
    /// the session when they come for a plain statement.
    private static void refuseCopyStream(String sql) {
        if (!firstWords(sql).getFirst().equals("COPY")) return;
        SqlLexer lexer = new SqlLexer(sql);
        int depth = 0;
        String before = "";
        for (SqlLexer.Kind kind = lexer.next(); kind != SqlLexer.Kind.END; kind = lexer.next()) {
            if (kind == SqlLexer.Kind.SPACE) continue;
            String text = lexer.text().toUpperCase(Locale.ROOT);
            if (text.equals("(")) depth++;
            if (text.equals(")")) depth--;
            String pair = before + " " + text;
            if (depth == 0 && (pair.equals("TO STDOUT") || pair.equals("FROM STDIN"))) {
                throw Fault.SOURCE_STATEMENT.in(
                        "the source's statement",
                        "COPY %s needs a stream of its own, which a statement here does not have; use SELECT or INSERT"
                                .formatted(pair),
                        "It was not sent");
            }
            before = text;
        }
    }

    /// The first two words in capitals, each empty where there is none. Comments, spaces and semicolons before them are
    /// skipped.
    private static List<String> firstWords(String sql) {
        List<String> words = new ArrayList<>();
        SqlLexer lexer = new SqlLexer(sql);
        SqlLexer.Kind kind = lexer.next();
        while (words.size() < 2 && kind != SqlLexer.Kind.END) {
            if (kind == SqlLexer.Kind.WORD) words.add(lexer.text().toUpperCase(Locale.ROOT));
            boolean isSeparator = kind == SqlLexer.Kind.SPACE || lexer.text().equals(";");
            if (kind != SqlLexer.Kind.WORD && !isSeparator) break;
            kind = lexer.next();
        }
        while (words.size() < 2) words.add("");
        return words;
    }

    private static void send(ResultSet rows, RowSink sink) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        List<String> names = new ArrayList<>();
        List<String> types = new ArrayList<>();
        for (int column = 1; column <= meta.getColumnCount(); column++) {
            names.add(meta.getColumnLabel(column));
            types.add(type(meta, column));
        }
        sink.columns(names);
        while (rows.next()) {
            List<Value> cells = new ArrayList<>(names.size());
            for (int column = 1; column <= names.size(); column++) {
                cells.add(value(rows, column, types.get(column - 1)));
            }
            if (!sink.row(cells)) return;
        }
    }

    /// The name of a built-in type; empty for a type that users made. The driver has no JDBC type for those, whatever
    /// their name is.
    private static String type(ResultSetMetaData meta, int column) throws SQLException {
        return switch (meta.getColumnType(column)) {
            case Types.OTHER, Types.VARCHAR, Types.ARRAY, Types.STRUCT, Types.DISTINCT -> "";
            default -> meta.getColumnTypeName(column);
        };
    }

    private static void bind(PreparedStatement statement, int index, Value value) throws SQLException {
        switch (value) {
            case Value.Null _ -> statement.setNull(index, Types.OTHER);
            case Value.Int(long number) -> statement.setObject(index, Long.toString(number), Types.OTHER);
            case Value.Real(double number) -> statement.setObject(index, Double.toString(number), Types.OTHER);
            case Value.Text(String text) -> statement.setObject(index, text, Types.OTHER);
            case Value.Blob(ByteBuffer bytes) -> {
                byte[] copy = new byte[bytes.remaining()];
                bytes.get(copy);
                statement.setBytes(index, copy);
            }
        }
    }

    private static Value value(ResultSet rows, int column, String type) throws SQLException {
        String text = rows.getString(column);
        if (text == null) return Value.Null.NULL;
        return switch (type) {
            case "int2", "int4", "int8", "oid", "serial", "bigserial", "smallserial" ->
                new Value.Int(rows.getLong(column));
            case "bool" -> new Value.Int(rows.getBoolean(column) ? 1 : 0);
            case "float4", "float8" -> {
                double number = rows.getDouble(column);
                yield Double.isNaN(number) ? new Value.Text("NaN") : new Value.Real(Double.parseDouble(text));
            }
            case "numeric" ->
                Character.isLetter(text.charAt(text.length() - 1))
                        ? new Value.Text(text)
                        : NumericDecoder.exact(new BigDecimal(text));
            case "bytea" -> new Value.Blob(ByteBuffer.wrap(bytes(rows.getBytes(column))));
            case "timestamptz", "timestamp", "date", "time", "timetz" -> new Value.Text(IsoText.of(text));
            case "bpchar" -> new Value.Text(text.stripTrailing());
            default -> new Value.Text(text);
        };
    }

    private static boolean isAboutStatement(SQLException e) {
        String state = e.getSQLState();
        // The driver itself refused something that the server would have done.
        if (PSQLState.NOT_IMPLEMENTED.getState().equals(state)) return true;
        return state != null
                && state.length() == 5
                && PostgresFaults.server(e) != null
                && STATEMENT_CLASSES.contains(state.substring(0, 2))
                && !state.equals("42501")
                && !state.startsWith("25P0");
    }

    private static PerigeeException refused(Placeholders placeholders, SQLException e) {
        ServerErrorMessage server = PostgresFaults.server(e);
        int position = server == null ? 0 : server.getPosition();
        String where =
                "the source's statement" + (position > 0 ? " at character " + placeholders.position(position) : "");
        String state = e.getSQLState();
        Fault fault = state != null && state.startsWith("23") ? Fault.CONSTRAINT : Fault.SOURCE_STATEMENT;
        String said = PostgresFaults.said(e);
        if (NO_TRANSACTION.equals(state)) {
            said += ": a statement sent through Perigee always runs in a transaction. Run it at the source itself, for"
                    + " example with psql";
        }
        return fault.in(where, said, "Nothing was changed", e);
    }

    private static byte[] bytes(byte @Nullable [] bytes) {
        return bytes == null ? new byte[0] : bytes;
    }
}
