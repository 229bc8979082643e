package dev.perigee.sqlite;

/// The limits that can be set for one connection, in the order of SQLite's codes.
///
/// @see <a href="https://www.sqlite.org/limits.html">SQLite: Limits</a>
public enum SqliteLimit {
    /// Bytes of a text, a blob or a row.
    LENGTH,
    /// Bytes of a statement's text.
    SQL_LENGTH,
    /// Columns of a table, an index, a view or a result, and terms of `SET`, `GROUP BY` and `ORDER BY`.
    COLUMN,
    /// Depth of an expression's tree.
    EXPR_DEPTH,
    /// Terms of a compound `SELECT`.
    COMPOUND_SELECT,
    /// Instructions of a statement's program.
    VDBE_OP,
    /// Arguments of a function.
    FUNCTION_ARG,
    /// Attached databases.
    ATTACHED,
    /// Bytes of a `LIKE` or `GLOB` pattern.
    LIKE_PATTERN_LENGTH,
    /// The greatest number that a parameter may have.
    VARIABLE_NUMBER,
    /// Depth to which triggers may fire other triggers.
    TRIGGER_DEPTH,
    /// Helper threads of one statement.
    WORKER_THREADS
}
