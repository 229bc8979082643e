package dev.perigee.query;

import dev.perigee.query.sql.ContextSpelling;
import dev.perigee.query.sql.StatementShape;
import dev.perigee.sqlite.SqliteConnection;
import dev.perigee.sqlite.SqliteException;
import dev.perigee.sqlite.SqliteFunction.Trait;
import dev.perigee.sqlite.SqliteStatement;
import dev.perigee.sqlite.Value;
import java.util.EnumSet;

/// SQLite's normalized form of statements: all literals and parameters are equal, blanks and comments are removed.
///
/// @see <a href="https://www.sqlite.org/c3ref/expanded_sql.html">SQLite: sqlite3_normalized_sql</a>
final class NormalizedSql {
    private NormalizedSql() {}

    /// @throws dev.perigee.fault.PerigeeException with SQLite's fault if `sql` is not one statement
    static String of(SqliteConnection connection, String sql) {
        try (SqliteStatement statement = connection.prepare(ContextSpelling.rewritten(sql))) {
            StatementRun.requireOne(statement, sql);
            String text = statement.normalizedSql();
            return text.endsWith(";") ? text.substring(0, text.length() - 1).strip() : text.strip();
        } catch (SqliteException e) {
            throw e.fault().saying("The statement does not parse: " + e.getMessage());
        }
    }

    /// Registers the function `perigee_normalized(sql, source)`, which the triggers of `tmp_allowlist_queries` call.
    static void register(SqliteConnection connection) {
        connection.function("perigee_normalized", 2, EnumSet.noneOf(Trait.class), arguments -> {
            String sql = arguments.get(0) instanceof Value.Text(String text) ? text : "";
            boolean isExternal = !(arguments.get(1) instanceof Value.Text(String source)) || !source.equals("internal");
            return new Value.Text(
                    isExternal || StatementShape.hasMacro(sql) ? StatementShape.of(sql) : of(connection, sql));
        });
    }
}
