package dev.perigee.sqlite;

/// Options that can be switched on and off for one connection.
///
/// @see <a href="https://www.sqlite.org/c3ref/c_dbconfig_defensive.html">SQLite: Database Connection Configuration</a>
public enum SqliteSwitch {
    FOREIGN_KEYS(1002),
    TRIGGERS(1003),
    /// Enables the C function that loads extensions; the SQL function stays off.
    LOAD_EXTENSION(1005),
    NO_CHECKPOINT_ON_CLOSE(1006),
    /// Disables SQL that can corrupt the file: writes to shadow tables or the schema, and `journal_mode = OFF`.
    DEFENSIVE(1010),
    WRITABLE_SCHEMA(1011),
    /// Accepts `"text"` for `'text'` in statements that read or change rows (DML).
    DOUBLE_QUOTED_STRINGS(1013),
    /// Accepts `"text"` for `'text'` in the schema (DDL).
    DOUBLE_QUOTED_STRINGS_IN_SCHEMA(1014),
    VIEWS(1015),
    /// Lets views, triggers and the schema use functions and virtual tables that are not marked as harmless.
    TRUSTED_SCHEMA(1017);

    final int code;

    SqliteSwitch(int code) {
        this.code = code;
    }
}
