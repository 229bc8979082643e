package dev.perigee.source.postgres.statement;

import dev.perigee.source.Expression;
import dev.perigee.source.TableId;
import dev.perigee.source.postgres.session.PostgresNames;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.postgresql.jdbc.PgConnection;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

/// Proves that an expression's value depends on columns of the row only, and changes only when the row is written.
///
/// `debug_print_parse` has the server send the tree that it has parsed, which names every function by its OID. The
/// catalog tells which of these are immutable. Of immutable functions only those count that nobody replaces: the
/// server's own, and those of extensions. Any role may ask for the tree. The server writes it to its own log too.
///
/// @param columns `attnum` of the columns used
/// @param refusal why there is no proof, for people; empty where the expression is proven
/// @param type the type of its value; empty where that is not a base type of the server itself
public record ExpressionProof(Set<Integer> columns, Optional<String> refusal, Optional<Expression.Type> type) {
    /// The first OID of objects that are not of the server itself.
    private static final int FIRST_NORMAL_OID = 16_384;

    /// Date and time types: their constants are read by the clock only if they have a word such as `today`.
    private static final String TIMES = "1082, 1083, 1114, 1184, 1186, 1266";

    /// JSON types: to read a constant is called stable, and depends on nothing.
    private static final String JSON = "114, 3802";

    /// @param text an expression that [ExpressionText] does not refuse
    /// @throws SQLException if the server cannot read the expression, or the role may not read a column of it
    public static ExpressionProof of(PgConnection session, TableId table, String text) throws SQLException {
        Optional<NodeTree.Node> parsed;
        try (Statement statement = session.createStatement()) {
            statement.execute(
                    "SET LOCAL debug_pretty_print = off; SET LOCAL client_min_messages = log; SET LOCAL debug_print_parse = on");
            statement.setEscapeProcessing(false);
            statement.execute("SELECT (%s\n) AS x FROM %s AS r LIMIT 0".formatted(text, PostgresNames.table(table)));
            parsed = parsed(statement);
            statement.execute("SET LOCAL debug_print_parse = off; SET LOCAL client_min_messages TO DEFAULT");
        }
        if (parsed.isEmpty()) {
            String why =
                    "the source does not show how it reads the expression (debug_print_parse), so nothing is proven";
            return new ExpressionProof(Set.of(), Optional.of(why), Optional.empty());
        }
        ExpressionTree tree = ExpressionTree.of(parsed.get());
        Optional<String> refusal = tree.refusal();
        if (refusal.isEmpty()) refusal = functions(session, tree);
        if (refusal.isEmpty()) refusal = casts(session, tree);
        if (refusal.isEmpty()) refusal = constants(session, tree, new ExpressionText(text).hasTimeWord());
        return new ExpressionProof(tree.columns(), refusal, type(session, tree));
    }

    private static Optional<Expression.Type> type(PgConnection session, ExpressionTree tree) throws SQLException {
        String sql = """
                SELECT t.typname::text, pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.pg_type t
                WHERE t.oid = ? AND t.typtype = 'b' AND t.typcategory <> 'A'
                  AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace""";
        if (tree.type().isEmpty()) return Optional.empty();
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            statement.setLong(1, tree.type().getAsLong());
            try (ResultSet row = statement.executeQuery()) {
                return row.next()
                        ? Optional.of(new Expression.Type(row.getString(1), row.getString(2)))
                        : Optional.empty();
            }
        }
    }

    private static Optional<NodeTree.Node> parsed(Statement statement) throws SQLException {
        for (SQLWarning one = statement.getWarnings(); one != null; one = one.getNextWarning()) {
            ServerErrorMessage message = one instanceof PSQLWarning warning ? warning.getServerErrorMessage() : null;
            String detail = message == null ? null : message.getDetail();
            if (detail == null || !detail.startsWith("{QUERY ")) continue;
            try {
                return Optional.of(NodeTree.read(detail));
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }
        return Optional.empty();
    }

    private static Optional<String> functions(PgConnection session, ExpressionTree tree) throws SQLException {
        String sql = """
                SELECT p.oid::regprocedure::text, p.provolatile FROM pg_catalog.pg_proc p
                WHERE (p.oid = ANY (?) OR p.oid IN (SELECT o.oprcode FROM pg_catalog.pg_operator o WHERE o.oid = ANY (?)))
                  AND (p.provolatile <> 'i' OR p.proretset OR (p.oid >= %d AND NOT EXISTS (
                      SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')))
                ORDER BY 1 LIMIT 1""".formatted(FIRST_NORMAL_OID);
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            set(session, statement, 1, tree.functions());
            set(session, statement, 2, tree.operators());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) return Optional.empty();
                String name = row.getString(1);
                return Optional.of(
                        row.getString(2).equals("i")
                                ? "it uses the function %s, which its owner may replace at any time".formatted(name)
                                : "it uses the function %s, which is not immutable: its value may change although the row does not"
                                        .formatted(name));
            }
        }
    }

    /// Casts by way of text call the output function of one type and the input function of the other.
    private static Optional<String> casts(PgConnection session, ExpressionTree tree) throws SQLException {
        String sql = """
                SELECT t.oid::regtype::text FROM pg_catalog.pg_type t
                JOIN pg_catalog.pg_proc o ON o.oid = t.typoutput JOIN pg_catalog.pg_proc i ON i.oid = t.typinput
                WHERE (t.oid = ANY (?) AND o.provolatile <> 'i') OR (t.oid = ANY (?) AND i.provolatile <> 'i')
                ORDER BY 1 LIMIT 1""";
        return first(session, sql, List.of(tree.written(), tree.read()))
                .map(("it casts a value of type %s to or from text, which depends on settings of the session;"
                        + " write the constant in that type, as DATE '2026-01-31'")::formatted);
    }

    /// A constant is read when the statement is parsed. Most types read a text always alike.
    private static Optional<String> constants(PgConnection session, ExpressionTree tree, boolean hasTimeWord)
            throws SQLException {
        String sql = """
                SELECT t.oid::regtype::text FROM pg_catalog.pg_type t
                LEFT JOIN pg_catalog.pg_range g ON g.rngtypid = t.oid
                JOIN pg_catalog.pg_type e
                  ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem WHEN g.rngsubtype IS NOT NULL THEN g.rngsubtype ELSE t.oid END
                JOIN pg_catalog.pg_proc i ON i.oid = e.typinput
                WHERE t.oid = ANY (?)
                  AND NOT (i.provolatile = 'i' OR e.typtype = 'e' OR e.oid IN (%s) OR (e.oid IN (%s) AND NOT %s))
                ORDER BY 1 LIMIT 1""".formatted(JSON, TIMES, hasTimeWord);
        return first(session, sql, List.of(tree.constants()))
                .map(
                        hasTimeWord
                                ? "it has a constant of type %s with a word that means the time at which it is read, such as today"
                                        ::formatted
                                : "it has a constant of type %s, which the source may read differently another time"
                                        ::formatted);
    }

    private static Optional<String> first(PgConnection session, String sql, List<Set<Long>> oids) throws SQLException {
        try (PreparedStatement statement = session.prepareStatement(sql)) {
            for (int i = 0; i < oids.size(); i++) set(session, statement, i + 1, oids.get(i));
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.ofNullable(row.getString(1)) : Optional.empty();
            }
        }
    }

    private static void set(PgConnection session, PreparedStatement statement, int index, Collection<Long> oids)
            throws SQLException {
        statement.setArray(index, session.createArrayOf("oid", oids.toArray()));
    }
}
