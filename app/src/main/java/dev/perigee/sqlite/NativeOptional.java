package dev.perigee.sqlite;

import static dev.perigee.sqlite.NativeLibrary.LONG;
import static dev.perigee.sqlite.NativeLibrary.SHORT;
import static dev.perigee.sqlite.NativeLibrary.impossible;
import static dev.perigee.sqlite.NativeLibrary.link;
import static dev.perigee.sqlite.NativeLibrary.linkIfThere;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.perigee.fault.Fault;
import dev.perigee.fault.PerigeeException;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/// C functions that are missing in an older SQLite or one built with other options, each with its fallback.
final class NativeOptional {
    // Since 3.37; older versions have 32-bit counters only.
    private static final @Nullable MethodHandle CHANGES_64 =
            linkIfThere("sqlite3_changes64", SHORT, JAVA_LONG, JAVA_LONG);
    private static final @Nullable MethodHandle TOTAL_CHANGES_64 =
            linkIfThere("sqlite3_total_changes64", SHORT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle CHANGES = link("sqlite3_changes", SHORT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle TOTAL_CHANGES = link("sqlite3_total_changes", SHORT, JAVA_INT, JAVA_LONG);

    // Since 3.38.
    private static final @Nullable MethodHandle ERROR_OFFSET =
            linkIfThere("sqlite3_error_offset", SHORT, JAVA_INT, JAVA_LONG);

    // With SQLITE_ENABLE_NORMALIZE.
    private static final @Nullable MethodHandle NORMALIZED_SQL =
            linkIfThere("sqlite3_normalized_sql", LONG, JAVA_LONG, JAVA_LONG);

    // With SQLITE_ENABLE_COLUMN_METADATA.
    private static final @Nullable MethodHandle DATABASE_NAME = columnOrigin("sqlite3_column_database_name");
    private static final @Nullable MethodHandle TABLE_NAME = columnOrigin("sqlite3_column_table_name");
    private static final @Nullable MethodHandle ORIGIN_NAME = columnOrigin("sqlite3_column_origin_name");

    private NativeOptional() {}

    static long changes(long connection) {
        try {
            return CHANGES_64 != null
                    ? (long) CHANGES_64.invokeExact(connection)
                    : (long) (int) CHANGES.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    static long totalChanges(long connection) {
        try {
            return TOTAL_CHANGES_64 != null
                    ? (long) TOTAL_CHANGES_64.invokeExact(connection)
                    : (long) (int) TOTAL_CHANGES.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// The byte offset in the statement at which the last error was found; -1 if unknown.
    static int errorOffset(long connection) {
        try {
            return ERROR_OFFSET == null ? -1 : (int) ERROR_OFFSET.invokeExact(connection);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// The fault to throw if a function is missing that has no fallback.
    static PerigeeException missing(String function, String buildOption) {
        return Fault.SQLITE_LIBRARY_MISSING.in(
                SqliteLibrary.origin(),
                "it has no %s, because it was built without %s".formatted(function, buildOption),
                "Nothing was run");
    }

    /// Address of the normalized SQL text; 0 if the library cannot make it.
    static long normalizedSql(long statement) {
        try {
            return NORMALIZED_SQL == null ? 0 : (long) NORMALIZED_SQL.invokeExact(statement);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }

    /// Address of the name of the database that a result column comes from; 0 for an expression, or if unknown.
    static long databaseName(long statement, int column) {
        return columnOrigin(DATABASE_NAME, statement, column);
    }

    /// Address of the name of the table that a result column comes from; 0 for an expression, or if unknown.
    static long tableName(long statement, int column) {
        return columnOrigin(TABLE_NAME, statement, column);
    }

    /// Address of the name of the table column that a result column comes from; 0 for an expression, or if unknown.
    static long originName(long statement, int column) {
        return columnOrigin(ORIGIN_NAME, statement, column);
    }

    private static @Nullable MethodHandle columnOrigin(String name) {
        return linkIfThere(name, SHORT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    }

    private static long columnOrigin(@Nullable MethodHandle function, long statement, int column) {
        try {
            return function == null ? 0 : (long) function.invokeExact(statement, column);
        } catch (Throwable t) {
            throw impossible(t);
        }
    }
}
